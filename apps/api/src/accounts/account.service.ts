import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { type Client, SessionStore } from '../access/session.store.ts';
import { SIGN_UP } from '../platform.module.ts';
import type { Credentials, NewAccount } from './account.schema.ts';
import { AccountStore } from './account.store.ts';
import { hashOfPassword, isPassword } from './passwords.ts';

/** Who may sign up: `open`, anybody; `closed`, nobody. */
export type SignUp = 'open' | 'closed';

/** People, and the browsers that they are signed in with. */
@Injectable()
export class AccountService {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(SIGN_UP) private readonly mode: SignUp,
  ) {}

  /** @returns a session's token. @throws AppError `forbidden`, `already-exists` */
  async signUp({ email, name, password }: NewAccount, client: Client): Promise<string> {
    if (this.mode === 'closed') {
      throw new AppError('forbidden', 'Nobody can sign up here: ask who runs this platform.');
    }
    const passwordHash = await hashOfPassword(password);
    const userId = await this.accounts.create({ email, name, passwordHash });
    if (userId !== null) return this.sessions.begin(userId, client);
    throw new AppError('already-exists', `There is an account of ${email} already: sign in.`);
  }

  /** @returns a session's token. @throws AppError `unauthenticated` */
  async signIn({ email, password }: Credentials, client: Client): Promise<string> {
    const user = await this.accounts.withEmail(email);
    const isRight = await isPassword(password, user?.passwordHash ?? null);
    if (user !== null && isRight) return this.sessions.begin(user.id, client);
    throw new AppError('unauthenticated', 'The email address or the password is wrong.');
  }
}
