import { z } from 'zod';
import { ROLES } from '../access/permissions.ts';
import { listOf } from '../http/query.ts';

/** The body of `PATCH …/members/{user}`. */
export const MemberPatch = z.strictObject({ role: z.enum(ROLES) });

/** Whom the members of an organization see. */
export const Person = z.object({ id: z.string(), email: z.string(), name: z.string() });

export const Member = z
  .object({
    user: Person,
    role: z.string().meta({ examples: ['owner', 'admin', 'developer', 'responder', 'viewer'] }),
    createdAt: z.iso.datetime().describe('When they became one'),
  })
  .meta({ id: 'Member' });

export const MemberList = listOf(Member).meta({ id: 'MemberList' });
