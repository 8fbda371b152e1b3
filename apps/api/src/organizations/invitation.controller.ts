import { Controller, Inject } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { z } from 'zod';
import { notFound } from '../access/not-found.ts';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import {
  AcceptInvitation,
  Invitation,
  InvitationList,
  IssuedInvitation,
  NewInvitation,
} from './invitation.schema.ts';
import { InvitationService } from './invitation.service.ts';
import { type InvitationRow, InvitationStore } from './invitation.store.ts';
import { Organization, organizationOf } from './organization.schema.ts';

const AT = '/v1/organizations/:organization/invitations';
const tag = 'Organizations';
const READ = { organization: 'members:read' } as const;
const WRITE = { organization: 'members:write' } as const;
const OfOrganization = z.object({ organization: z.string() });

const createInvitation = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createInvitation', tag, access: WRITE },
  summary: 'Invite somebody by their email address, for seven days',
  description:
    'No mail is sent: give them the token. An earlier invitation for the address is worth nothing from now on. To invite an owner needs `owners:write` too.',
  ...{ params: OfOrganization, body: NewInvitation, responses: { 201: IssuedInvitation } },
});

const listInvitations = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listInvitations', tag, access: READ },
  summary: 'The invitations that are open, the oldest first',
  ...{ params: OfOrganization, query: PageQuery, responses: { 200: InvitationList } },
});

const withdrawInvitation = defineRoute({
  ...{ method: 'DELETE', path: `${AT}/:invitation`, operationId: 'withdrawInvitation', tag },
  access: WRITE,
  summary: 'Withdraw an invitation',
  params: z.object({ organization: z.string(), invitation: z.string() }),
  responses: { 204: null },
});

const acceptInvitation = defineRoute({
  ...{ method: 'POST', path: '/v1/invitations/accept', operationId: 'acceptInvitation', tag },
  access: 'caller',
  summary: 'Become a member of the organization that one is invited to; with a session only',
  ...{ body: AcceptInvitation, responses: { 200: Organization } },
});

@Controller()
export class InvitationController {
  constructor(
    @Inject(InvitationStore) private readonly invitations: InvitationStore,
    @Inject(InvitationService) private readonly service: InvitationService,
  ) {}

  @Route(createInvitation)
  async create(
    @RouteInput() { scope, caller, body }: Input<typeof createInvitation>,
  ): Promise<Output<typeof createInvitation>> {
    const issued = await this.invitations.create(scope, caller, body);
    if (issued !== null) return { ...resourceOf(issued.row), token: issued.token };
    throw new AppError('already-exists', `${body.email} is of this organization already.`);
  }

  @Route(listInvitations)
  async list(
    @RouteInput() { scope, query: { limit, cursor } }: Input<typeof listInvitations>,
  ): Promise<Output<typeof listInvitations>> {
    const rows = await this.invitations.list(scope, { limit: limit + 1, after: cursor ?? '' });
    return pageOf(rows, limit, resourceOf);
  }

  @Route(withdrawInvitation)
  async withdraw(
    @RouteInput() { scope, params: { invitation } }: Input<typeof withdrawInvitation>,
  ): Promise<undefined> {
    const isWithdrawn = await this.invitations.withdraw(scope, invitation);
    if (!isWithdrawn) throw notFound(`invitation ${invitation} to this organization`);
  }

  @Route(acceptInvitation)
  async accept(
    @RouteInput() { call, body: { token } }: Input<typeof acceptInvitation>,
  ): Promise<Output<typeof acceptInvitation>> {
    const { organization, role } = await this.service.accept(call, token);
    return organizationOf(organization, role);
  }
}

function resourceOf(row: InvitationRow): z.input<typeof Invitation> {
  const { id, email, role, invitedBy, createdAt, expiresAt } = row;
  const times = { createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
  return { id, email, role, invitedBy, ...times };
}
