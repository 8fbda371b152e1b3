import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { userOf } from '../access/caller.ts';
import { notFound } from '../access/not-found.ts';
import { SessionStore } from '../access/session.store.ts';
import { SessionCookie } from '../access/session-cookie.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { NewPassword, SessionList } from './account.schema.ts';
import { AccountService } from './account.service.ts';

const AT = '/v1/me';
const tag = 'Account';

const changePassword = defineRoute({
  ...{
    method: 'PUT',
    path: `${AT}/password`,
    operationId: 'changePassword',
    tag,
    access: 'caller',
  },
  summary:
    'Change one’s password, and end all sessions but this one, which has another cookie then',
  ...{ body: NewPassword, responses: { 204: null } },
});

const listSessions = defineRoute({
  ...{ method: 'GET', path: `${AT}/sessions`, operationId: 'listSessions', tag, access: 'caller' },
  summary: 'The browsers that one is signed in with',
  responses: { 200: SessionList },
});

const endSession = defineRoute({
  ...{ method: 'DELETE', path: `${AT}/sessions/:session`, operationId: 'endSession', tag },
  access: 'caller',
  summary: 'Sign out another browser',
  ...{ params: z.object({ session: z.string() }), responses: { 204: null } },
});

/** What somebody who is signed in may see to. */
@Controller()
export class SessionController {
  constructor(
    @Inject(AccountService) private readonly accounts: AccountService,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(SessionCookie) private readonly cookie: SessionCookie,
  ) {}

  @Route(changePassword)
  async changePassword(
    @RouteInput() { body, call, reply }: Input<typeof changePassword>,
  ): Promise<undefined> {
    const token = await this.accounts.changePassword(call, body);
    this.cookie.set(reply, token);
  }

  @Route(listSessions)
  async list(
    @RouteInput() { caller }: Input<typeof listSessions>,
  ): Promise<Output<typeof listSessions>> {
    const sessions = await this.sessions.of(userOf(caller));
    return {
      items: sessions.map(({ id, userAgent, ip, createdAt, expiresAt }) => ({
        ...{ id, isCurrent: id === caller.credentialId, userAgent, ip },
        ...{ createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() },
      })),
    };
  }

  @Route(endSession)
  async end(@RouteInput() { params, call, reply }: Input<typeof endSession>): Promise<undefined> {
    const { caller } = call;
    const isEnded = await this.accounts.endSession(call, params.session);
    if (!isEnded) throw notFound(`session ${params.session}`);
    if (params.session === caller.credentialId) this.cookie.clear(reply);
  }
}
