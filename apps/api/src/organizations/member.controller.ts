import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { Member, MemberList, MemberPatch } from './member.schema.ts';
import { type MemberRow, MemberStore } from './member.store.ts';

const AT = '/v1/organizations/:organization';
const tag = 'Organizations';
const READ = { organization: 'members:read' } as const;
const WRITE = { organization: 'members:write' } as const;
const OfOrganization = z.object({ organization: z.string() });
const OfMember = z.object({
  organization: z.string(),
  user: z.string().describe('Identifier or email address'),
});

const listMembers = defineRoute({
  ...{ method: 'GET', path: `${AT}/members`, operationId: 'listMembers', tag, access: READ },
  summary: 'Who is of an organization',
  ...{ params: OfOrganization, query: PageQuery, responses: { 200: MemberList } },
});

const changeMember = defineRoute({
  ...{ method: 'PATCH', path: `${AT}/members/:user`, operationId: 'changeMember', tag },
  access: WRITE,
  summary: 'Give somebody another role',
  description: 'To make an owner, and to make one something else, needs `owners:write` too.',
  ...{ params: OfMember, body: MemberPatch, responses: { 200: Member } },
});

const removeMember = defineRoute({
  ...{ method: 'DELETE', path: `${AT}/members/:user`, operationId: 'removeMember', tag },
  access: WRITE,
  summary: 'Remove somebody from an organization: at once, wherever they are signed in',
  description: 'To remove an owner needs `owners:write` too.',
  ...{ params: OfMember, responses: { 204: null } },
});

const leaveOrganization = defineRoute({
  ...{ method: 'POST', path: `${AT}/leave`, operationId: 'leaveOrganization', tag },
  access: { organization: 'organization:read' },
  summary: 'Leave an organization; its last owner cannot',
  ...{ params: OfOrganization, responses: { 204: null } },
});

@Controller()
export class MemberController {
  constructor(@Inject(MemberStore) private readonly members: MemberStore) {}

  @Route(listMembers)
  async list(
    @RouteInput() { scope, query: { limit, cursor } }: Input<typeof listMembers>,
  ): Promise<Output<typeof listMembers>> {
    const rows = await this.members.list(scope, { limit: limit + 1, after: cursor ?? '' });
    const members = rows.map((row) => ({ id: row.userId, row }));
    return pageOf(members, limit, ({ row }) => resourceOf(row));
  }

  @Route(changeMember)
  async change(
    @RouteInput() { scope, caller, params, body: { role } }: Input<typeof changeMember>,
  ): Promise<Output<typeof changeMember>> {
    return resourceOf(
      await this.members.changeRole(scope, caller, { reference: params.user, role }),
    );
  }

  @Route(removeMember)
  async remove(
    @RouteInput() { scope, caller, params }: Input<typeof removeMember>,
  ): Promise<undefined> {
    await this.members.remove(scope, caller, params.user);
  }

  @Route(leaveOrganization)
  async leave(
    @RouteInput() { scope, caller }: Input<typeof leaveOrganization>,
  ): Promise<undefined> {
    await this.members.leave(scope, caller);
  }
}

function resourceOf({ user, role, createdAt }: MemberRow): z.input<typeof Member> {
  return { user, role, createdAt: createdAt.toISOString() };
}
