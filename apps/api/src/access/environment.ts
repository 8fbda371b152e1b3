import { z } from 'zod';
import { type Caller, membershipIn } from './caller.ts';
import { may, requirePermission } from './permissions.ts';
import type { ProjectScope } from './scope.store.ts';

/** Environment variables in an answer: their values may be secrets, and are not for everybody. */
export const ShownEnvironment = z
  .record(z.string(), z.string().nullable())
  .describe('The values are null without the permission `environment:read`');

/** Who is shown something of a project. */
export interface Viewer {
  caller: Caller;
  scope: ProjectScope;
}

export function environmentFor(
  { caller, scope }: Viewer,
  env: Readonly<Record<string, string>>,
): z.input<typeof ShownEnvironment> {
  if (may(membershipIn(caller, scope), 'environment:read')) return { ...env };
  return Object.fromEntries(Object.keys(env).map((name) => [name, null]));
}

/** @throws AppError `forbidden` */
export function requireEnvironment({ caller, scope }: Viewer): void {
  requirePermission(membershipIn(caller, scope), 'environment:read');
}
