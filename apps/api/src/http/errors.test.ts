import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD_REASONS, END_REASONS, ERROR_CODES } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { DEPLOY_REASONS } from '../services/deploy.schema.ts';

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../../docs', name), 'utf8');

test('docs/errors.md has each code with its status and whether a retry may help, and no other', () => {
  const text = read('errors.md');
  const documented = [...text.matchAll(/^\| `([\w-]+)` +\| (\d+) +\| (yes|no) +\| \S/gm)];
  const codes = Object.entries(ERROR_CODES).map(
    ([code, meta]) => `${code} ${meta.status} ${'retryable' in meta ? 'yes' : 'no'}`,
  );
  expect(documented.map(([, code, status, retry]) => `${code} ${status} ${retry}`)).toEqual(codes);
});

test('docs/reasons.md has each reason, and no other', () => {
  const [, containers = '', builds = '', deploys = ''] = read('reasons.md').split(/^## /m);
  const documented = (text: string) =>
    [...text.matchAll(/^\| `([\w-]+)` +\| [\w-]+ +\| \S/gm)].map(([, reason]) => reason);
  expect(documented(containers)).toEqual(END_REASONS);
  expect(documented(builds)).toEqual(BUILD_REASONS);
  expect(documented(deploys)).toEqual(DEPLOY_REASONS);
});
