import { Secret } from '@slipway/log';
import { z } from 'zod';

export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email('must be an email address'))
  .describe('Kept in lower case');

const Password = z
  .string()
  .min(8)
  .max(256)
  .transform((text) => new Secret(text))
  .describe('8 characters or more');

export const InvitationToken = z.string().min(1).max(100);

/** The body of `POST /v1/auth/sign-up`. */
export const NewAccount = z.strictObject({
  email: Email,
  password: Password,
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'may have no control characters')
    .describe('For people; the first organization is named after it'),
  invitation: InvitationToken.optional().describe(
    'The token of an invitation for this address: one is of its organization then, too',
  ),
});
export type NewAccount = z.output<typeof NewAccount>;

/** The body of `POST /v1/auth/sign-in`. */
export const Credentials = z.strictObject({
  email: z.string().max(254).trim().toLowerCase(),
  password: z
    .string()
    .max(256)
    .transform((text) => new Secret(text)),
});
export type Credentials = z.output<typeof Credentials>;

/** The body of `PUT /v1/me/password`. */
export const NewPassword = z.strictObject({
  current: z
    .string()
    .max(256)
    .transform((text) => new Secret(text)),
  password: Password,
});
export type NewPassword = z.output<typeof NewPassword>;

export const Session = z
  .object({
    id: z.string(),
    isCurrent: z.boolean().describe('The one that asks'),
    userAgent: z.string().describe('What the browser called itself as it signed in'),
    ip: z.string().describe('Where it was then'),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Session' });

export const SessionList = z.object({ items: z.array(Session) }).meta({ id: 'SessionList' });
