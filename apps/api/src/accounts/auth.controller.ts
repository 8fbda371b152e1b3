import { Controller, Inject } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../access/call.ts';
import { SessionStore } from '../access/session.store.ts';
import { SessionCookie } from '../access/session-cookie.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { Me } from '../me/me.schema.ts';
import { MeService } from '../me/me.service.ts';
import { Credentials, NewAccount } from './account.schema.ts';
import { AccountService } from './account.service.ts';

const AT = '/v1/auth';
const tag = 'Account';

const signUp = defineRoute({
  ...{ method: 'POST', path: `${AT}/sign-up`, operationId: 'signUp', tag, access: 'public' },
  summary: 'Make an account, with an organization and a project of one’s own, and sign in',
  ...{ body: NewAccount, responses: { 201: Me } },
});

const signIn = defineRoute({
  ...{ method: 'POST', path: `${AT}/sign-in`, operationId: 'signIn', tag, access: 'public' },
  summary: 'Sign in: the answer’s cookie is the session',
  ...{ body: Credentials, responses: { 200: Me } },
});

const signOut = defineRoute({
  ...{ method: 'POST', path: `${AT}/sign-out`, operationId: 'signOut', tag, access: 'public' },
  summary: 'End the session; nothing when there is none',
  responses: { 204: null },
});

interface Asked {
  call: Call<null>;
  request: FastifyRequest;
  reply: FastifyReply;
}

@Controller()
export class AuthController {
  constructor(
    @Inject(AccountService) private readonly accounts: AccountService,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(SessionCookie) private readonly cookie: SessionCookie,
    @Inject(MeService) private readonly me: MeService,
  ) {}

  @Route(signUp)
  async signUp(@RouteInput() input: Input<typeof signUp>): Promise<Output<typeof signUp>> {
    this.cookie.requireOwnHost(input.request);
    return this.#begin(await this.accounts.signUp(input.body, input.call), input);
  }

  @Route(signIn)
  async signIn(@RouteInput() input: Input<typeof signIn>): Promise<Output<typeof signIn>> {
    this.cookie.requireOwnHost(input.request);
    return this.#begin(await this.accounts.signIn(input.body, input.call), input);
  }

  @Route(signOut)
  async signOut(@RouteInput() input: Input<typeof signOut>): Promise<undefined> {
    await this.#endOf(input);
    this.cookie.clear(input.reply);
  }

  /** A session that the browser had is over: whoever knew it is no one's companion. */
  async #begin(token: string, asked: Asked): Promise<Me> {
    const caller = await this.sessions.callerOf(token);
    // their password was changed meanwhile
    if (caller === null) throw new AppError('unauthenticated', 'The session ended as it began.');
    await this.#endOf(asked);
    this.cookie.set(asked.reply, token);
    return this.me.of(caller);
  }

  async #endOf({ request, call }: Asked): Promise<void> {
    const earlier = this.cookie.tokenOf(request);
    if (earlier !== null) await this.accounts.signOut(earlier, call);
  }
}
