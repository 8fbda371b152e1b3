import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Secret } from '@slipway/log';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { SECRET_KEY } from '../platform.module.ts';

/** What one may do with one repository. @see Distribution, "Token Scope Documentation" */
const GrantSchema = z.object({
  /** `<organization>/<project>/<name>` */
  name: z.string(),
  actions: z.array(z.enum(['pull', 'push'])),
});
export type Grant = z.infer<typeof GrantSchema>;

const ClaimsSchema = z.object({
  /** the key it was made with, `key_…`; NODES for what a node pulls */
  sub: z.string(),
  /** of a node's: whose repositories these are */
  organizationId: z.string().optional(),
  grants: z.array(GrantSchema),
});
type Claims = z.infer<typeof ClaimsSchema>;

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

  /** For a node that is to run an image: to pull from that one repository. */
  issueForNode(image: { organizationId: string; repository: string }): Promise<string> {
    const { organizationId, repository } = image;
    const grants = [{ name: repository, actions: ['pull' as const] }];
    return this.issue({ sub: NODES, organizationId, grants });
  }

  issue({ sub, ...claims }: Claims, now = new Date()): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + TOKEN_LASTS_MS))
      .sign(this.#key);
  }

  /** null when it is not ours, or too old */
  async claimsOf(token: string): Promise<Claims | null> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
      });
      return ClaimsSchema.parse(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
