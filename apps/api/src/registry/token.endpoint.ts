import { Inject, Injectable } from '@nestjs/common';
import { isRepositoryName } from '@slipway/oci';
import type { Exchange } from './exchange.ts';
import { RegistryAccess } from './registry-access.ts';
import { type Action, type Grant, RegistryTokens, TOKEN_LASTS_MS } from './registry-token.ts';

/** `/token`: a key becomes a token for some repositories. @see Distribution, "Token Authentication Specification" */
@Injectable()
export class TokenEndpoint {
  constructor(
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(RegistryTokens) private readonly tokens: RegistryTokens,
  ) {}

  async get({ reply, caller, query }: Exchange): Promise<void> {
    const wishes = query
      .getAll('scope')
      .flatMap((text) => text.split(' '))
      .flatMap(wishOf);
    const now = Date.now();
    // a token that is asked for with another one ends with it
    const expiresMs = Math.min(now + TOKEN_LASTS_MS, caller.expiresAt?.getTime() ?? Infinity);
    const claims = await this.access.claimsFor(caller, wishes);
    const token = await this.tokens.issue(claims, new Date(expiresMs));
    reply.header('cache-control', 'no-store').send({
      token,
      access_token: token,
      expires_in: Math.max(1, Math.floor((expiresMs - now) / 1000)),
      issued_at: new Date(now).toISOString(),
    });
  }
}

/** `repository:local/default/web:pull,push`; whatever is of another kind is not granted. */
function wishOf(scope: string): Grant[] {
  const [, name = '', actions = ''] =
    /^repository(?:\([^)]*\))?:([^:]+):([\w,*]+)$/.exec(scope) ?? [];
  if (!isRepositoryName(name)) return [];
  const wanted = new Set(actions === '*' ? ['pull', 'push'] : actions.split(','));
  return [
    { name, actions: (['pull', 'push'] as const).filter((action: Action) => wanted.has(action)) },
  ];
}
