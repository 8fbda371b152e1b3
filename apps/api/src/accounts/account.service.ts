import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { type Client, SessionStore } from '../access/session.store.ts';
import { invalid } from '../http/validate.ts';
import { InvitationStore, type OpenInvitation } from '../organizations/invitation.store.ts';
import { GUESSES, SIGN_UP } from '../platform.module.ts';
import type { Credentials, NewAccount, NewPassword } from './account.schema.ts';
import { AccountStore } from './account.store.ts';
import type { Guesses } from './guesses.ts';
import { hashOfPassword, isPassword } from './passwords.ts';

/** Who may sign up: `open`, anybody; `invite`, who is invited to an organization; `closed`, nobody. */
export type SignUp = 'open' | 'invite' | 'closed';

/** People, and the browsers that they are signed in with. */
@Injectable()
export class AccountService {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(InvitationStore) private readonly invitations: InvitationStore,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(GUESSES) private readonly guesses: Guesses,
    @Inject(SIGN_UP) private readonly mode: SignUp,
  ) {}

  /** @returns a session's token. @throws AppError `forbidden`, `invalid-request`, `already-exists` */
  async signUp(
    { email, name, password, invitation: token }: NewAccount,
    client: Client,
  ): Promise<string> {
    if (this.mode === 'closed') {
      throw new AppError('forbidden', 'Nobody can sign up here: ask who runs this platform.');
    }
    if (this.mode === 'invite' && token === undefined) {
      throw new AppError('forbidden', 'Who signs up here is invited: send the `invitation`.');
    }
    const invitation = token === undefined ? null : await this.#invitation(token, email);
    const passwordHash = await hashOfPassword(password);
    const userId = await this.accounts.create({ email, name, passwordHash }, invitation);
    if (userId !== null) return this.sessions.begin(userId, client);
    throw new AppError('already-exists', `There is an account of ${email} already: sign in.`);
  }

  /** @returns a session's token. @throws AppError `unauthenticated`, `too-many-requests` */
  async signIn({ email, password }: Credentials, client: Client): Promise<string> {
    const user = await this.accounts.withEmail(email);
    const isRight = await this.guesses.count({ email, ip: client.ip }, () =>
      isPassword(password, user?.passwordHash ?? null),
    );
    const token = user !== null && isRight ? await this.accounts.beginSession(user, client) : null;
    if (token !== null) return token;
    throw new AppError('unauthenticated', 'The email address or the password is wrong.');
  }

  /**
   * Ends all sessions of theirs.
   * @returns the token of a new one
   * @throws AppError `invalid-request`, `too-many-requests`
   */
  async changePassword(
    userId: string,
    { current, password }: NewPassword,
    client: Client,
  ): Promise<string> {
    const user = await this.accounts.withId(userId);
    const isRight = await this.guesses.count({ email: user.email, ip: client.ip }, () =>
      isPassword(current, user.passwordHash),
    );
    const token = isRight
      ? await this.accounts.changePassword(user, await hashOfPassword(password), client)
      : null;
    if (token !== null) return token;
    throw invalid('current', 'is not the present password');
  }

  async #invitation(token: string, email: string): Promise<OpenInvitation> {
    const invitation = await this.invitations.ofToken(token);
    if (invitation?.email === email) return invitation;
    throw invalid('invitation', `is over, or for another address than ${email}`);
  }
}
