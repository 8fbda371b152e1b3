import { z } from 'zod';
import { ROLES } from '../access/permissions.ts';
import { Email, InvitationToken } from '../accounts/account.schema.ts';
import { listOf } from '../http/query.ts';
import { Person } from './member.schema.ts';

/** The body of `POST …/invitations`. */
export const NewInvitation = z.strictObject({ email: Email, role: z.enum(ROLES) });
export type NewInvitation = z.output<typeof NewInvitation>;

const invitation = {
  ...{ id: z.string(), email: z.string(), role: z.string() },
  invitedBy: Person.nullable().describe('null: who had an API key'),
  ...{ createdAt: z.iso.datetime(), expiresAt: z.iso.datetime() },
};

export const Invitation = z.object(invitation).meta({ id: 'Invitation' });
export const InvitationList = listOf(Invitation).meta({ id: 'InvitationList' });

export const IssuedInvitation = z
  .object({
    ...invitation,
    token: z
      .string()
      .describe(
        'Shown this once: for them, to accept the invitation with, or to sign up with. It works once.',
      ),
  })
  .meta({ id: 'IssuedInvitation' });

/** The body of `POST /v1/invitations/accept`. */
export const AcceptInvitation = z.strictObject({ token: InvitationToken });
