import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Call } from '../access/call.ts';
import { userOf } from '../access/caller.ts';
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
    @Inject(GUESSES) private readonly guesses: Guesses,
    @Inject(SIGN_UP) private readonly mode: SignUp,
  ) {}

  /** @returns a session's token. @throws AppError `forbidden`, `invalid-request`, `already-exists` */
  async signUp(
    { email, name, password, invitation: token }: NewAccount,
    call: Call<null>,
  ): Promise<string> {
    if (this.mode === 'closed') {
      throw new AppError('forbidden', 'Nobody can sign up here: ask who runs this platform.');
    }
    if (this.mode === 'invite' && token === undefined) {
      throw new AppError('forbidden', 'Who signs up here is invited: send the `invitation`.');
    }
    const invitation = token === undefined ? null : await this.#invitation(token, email);
    const passwordHash = await hashOfPassword(password);
    const session = await this.accounts.create({ email, name, passwordHash }, invitation, call);
    if (session !== null) return session;
    throw new AppError('already-exists', `There is an account of ${email} already: sign in.`);
  }

  /** @returns a session's token. @throws AppError `unauthenticated`, `too-many-requests` */
  async signIn({ email, password }: Credentials, call: Call<null>): Promise<string> {
    const user = await this.accounts.withEmail(email);
    const isRight = await this.guesses.count({ email, ip: call.ip }, () =>
      isPassword(password, user?.passwordHash ?? null),
    );
    const token = user !== null && isRight ? await this.accounts.beginSession(user, call) : null;
    if (token !== null) return token;
    throw new AppError('unauthenticated', 'The email address or the password is wrong.');
  }

  /**
   * Ends all sessions of theirs.
   * @returns the token of a new one
   * @throws AppError `forbidden` to a key, `invalid-request`, `too-many-requests`
   */
  async changePassword(call: Call, { current, password }: NewPassword): Promise<string> {
    const user = await this.accounts.withId(userOf(call.caller));
    const isRight = await this.guesses.count({ email: user.email, ip: call.ip }, () =>
      isPassword(current, user.passwordHash),
    );
    const token = isRight
      ? await this.accounts.changePassword(user, await hashOfPassword(password), call)
      : null;
    if (token !== null) return token;
    throw invalid('current', 'is not the present password');
  }

  /** @returns false: there is none like that, or it is somebody else's. @throws AppError `forbidden` to a key */
  endSession(call: Call, id: string): Promise<boolean> {
    return this.accounts.endSession(userOf(call.caller), id, call);
  }

  /** Nothing when there is no such session. */
  signOut(session: string, call: Call<null>): Promise<void> {
    return this.accounts.signOut(session, call);
  }

  async #invitation(token: string, email: string): Promise<OpenInvitation> {
    const invitation = await this.invitations.ofToken(token);
    if (invitation?.email === email) return invitation;
    throw invalid('invitation', `is over, or for another address than ${email}`);
  }
}
