import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Secret } from '@slipway/log';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { SECRET_KEY } from '../platform.module.ts';

/** What one may do with one repository. @see Distribution, "Token Scope Documentation" */
const GrantSchema = z.object({
  /** `<organization>/<project>/<name>`; `/*` at its end stands for all that begins so */
  name: z.string(),
  actions: z.array(z.enum(['pull', 'push'])),
});
export type Grant = z.infer<typeof GrantSchema>;
export type Action = Grant['actions'][number];

export function allows(grants: readonly Grant[], name: string, action: Action): boolean {
  return grants.some((grant) => covers(grant.name, name) && grant.actions.includes(action));
}

function covers(granted: string, name: string): boolean {
  return granted.endsWith('/*') ? name.startsWith(granted.slice(0, -1)) : granted === name;
}

const ClaimsSchema = z.object({
  /** the key it was made with, `key_…`; NODES for what a node pulls */
  sub: z.string(),
  /** of a node's: whose it acts for */
  organizationId: z.string().optional(),
  grants: z.array(GrantSchema),
});
export type Claims = z.infer<typeof ClaimsSchema>;

/** Whom tokens are for that the platform makes for its nodes. */
export const NODES = 'nodes';

export const TOKEN_LASTS_MS = 5 * 60_000;
const AUDIENCE = 'registry';

/** Short-lived tokens for some repositories, which any replica of the API accepts. */
@Injectable()
export class RegistryTokens {
  readonly #key: Uint8Array;

  constructor(@Inject(SECRET_KEY) secretKey: Secret) {
    // a key of their own: what signs one thing must not sign another
    this.#key = createHmac('sha256', secretKey.reveal()).update('registry tokens').digest();
  }

  /** For what a node does for an organization. */
  issueForNode(
    organizationId: string,
    grants: Grant[],
    lastsMs: number = TOKEN_LASTS_MS,
  ): Promise<string> {
    const expiresAt = new Date(Date.now() + lastsMs);
    return this.issue({ sub: NODES, organizationId, grants }, expiresAt);
  }

  issue({ sub, ...claims }: Claims, expiresAt: Date): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(this.#key);
  }

  /** null when it is not ours, or too old */
  async claimsOf(token: string): Promise<(Claims & { expiresAt: Date }) | null> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
      });
      return { ...ClaimsSchema.parse(payload), expiresAt: new Date((payload.exp ?? 0) * 1000) };
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
