import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Call } from '../access/call.ts';
import { userOf } from '../access/caller.ts';
import { notFound } from '../access/not-found.ts';
import { AccountStore } from '../accounts/account.store.ts';
import { InvitationStore } from './invitation.store.ts';
import type { OrganizationRow } from './organization.store.ts';

/** From a token to a member. */
@Injectable()
export class InvitationService {
  constructor(
    @Inject(InvitationStore) private readonly invitations: InvitationStore,
    @Inject(AccountStore) private readonly accounts: AccountStore,
  ) {}

  /** @returns what they are of now, and as what. @throws AppError `not-found`, `forbidden` */
  async accept(
    call: Call,
    token: string,
  ): Promise<{ organization: OrganizationRow; role: string }> {
    const userId = userOf(call.caller);
    const invitation = await this.invitations.ofToken(token);
    if (invitation === null) throw notFound(OVER);
    const { email } = await this.accounts.withId(userId);
    if (email !== invitation.email) {
      throw new AppError('forbidden', `This invitation is for another address than ${email}.`);
    }
    const role = await this.invitations.accept(invitation, call);
    if (role === null) throw notFound(OVER);
    return { organization: invitation.organization, role };
  }
}

const OVER = 'invitation like that, or it is over: ask for another one';
