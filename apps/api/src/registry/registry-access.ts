import { Inject, Injectable } from '@nestjs/common';
import { type Caller, membershipIn, membershipOf, setScope } from '../access/caller.ts';
import { isKey } from '../access/credential.ts';
import { KeyStore } from '../access/key.store.ts';
import { may, type Permission } from '../access/permissions.ts';
import { LIBRARY, type ProjectScope, ScopeStore } from '../access/scope.store.ts';
import { ImageStore, type Repository } from '../images/image.store.ts';
import type { Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import {
  type Action,
  allows,
  type Claims,
  type Grant,
  NODES,
  RegistryTokens,
} from './registry-token.ts';

/** Who calls the registry; without `grants`: may do whatever the key may. */
export interface RegistryCaller {
  caller: Caller;
  grants: readonly Grant[] | null;
  /** null: as long as the key is valid */
  expiresAt: Date | null;
}

/** The project that a name lies in. */
interface Place {
  scope: ProjectScope;
  /** without organization and project */
  name: string;
  /** what the caller may do there */
  actions: readonly Action[];
}

const NEEDED: Readonly<Record<Action, Permission>> = { pull: 'images:read', push: 'images:write' };

/** Who may pull from and push to which repository. */
@Injectable()
export class RegistryAccess {
  constructor(
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(KeyStore) private readonly keys: KeyStore,
    @Inject(ImageStore) private readonly images: ImageStore,
    @Inject(RegistryTokens) private readonly tokens: RegistryTokens,
  ) {}

  /**
   * An API key or a token of ours, as `Bearer` or as the password of `Basic` with any user name.
   * @returns null when it is none of these, or no longer valid
   */
  async callerOf(authorization: string | undefined): Promise<RegistryCaller | null> {
    const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(authorization ?? '') ?? [];
    switch (scheme.toLowerCase()) {
      case 'basic': {
        const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? [];
        return this.#callerOf(password ?? '');
      }
      case 'bearer':
        return this.#callerOf(value);
      default:
        return null;
    }
  }

  /** @throws OciError when there is none with which the caller may do that */
  async find(exchange: Exchange, name: string, action: Action): Promise<Repository> {
    const place = await this.#placeFor(exchange, name, action);
    const found = await this.images.repository(place.scope, place.name);
    if (found === null) throw unknownName(name);
    return found;
  }

  /** To push to: made when this is the first push. @throws OciError when the caller may not */
  async findOrMake(exchange: Exchange, name: string): Promise<Repository> {
    const place = await this.#placeFor(exchange, name, 'push');
    return this.images.ensureRepository(place.scope, place.name);
  }

  /** What of the wishes a token can be made for: never more than what it is asked with. */
  async claimsFor(asker: RegistryCaller, wishes: readonly Grant[]): Promise<Claims> {
    const { credentialId: sub, memberships } = asker.caller;
    const [{ organizationId } = { organizationId: '' }] = memberships;
    const grants = await Promise.all(
      wishes.map(async ({ name, actions }) => {
        const place = await this.#placeOf(asker.caller, name);
        const allowed = actions.filter(
          (action) =>
            place?.actions.includes(action) &&
            (asker.grants === null || allows(asker.grants, name, action)),
        );
        return { name, actions: allowed };
      }),
    );
    return {
      ...{ sub, grants: grants.filter(({ actions }) => actions.length > 0) },
      ...(sub === NODES ? { organizationId } : {}),
    };
  }

  async #placeFor(
    { caller, call, request }: Exchange,
    name: string,
    action: Action,
  ): Promise<Place> {
    const found = await this.#placeOf(caller.caller, name);
    if (found === null) throw unknownName(name);
    const place = call === null ? found : { ...found, scope: found.scope.for(call) };
    if (action === 'push') setScope(request, place.scope);
    if (!place.actions.includes(action)) throw new OciError('DENIED', denialOf(place, action));
    requireGrant(caller, name, action);
    return place;
  }

  /** null when the caller may not know of it */
  async #placeOf(caller: Caller, path: string): Promise<Place | null> {
    const [organization = '', project = '', ...rest] = path.split('/');
    if (organization === LIBRARY && rest.length === 0) {
      const scope = await this.scopes.library();
      return { scope, name: project, actions: caller.isOperator ? ['pull', 'push'] : ['pull'] };
    }
    if (rest.length === 0) return null;
    const scope = await this.scopes.project(caller, { organization, project });
    if (scope === null) return null;
    const membership = membershipIn(caller, scope);
    const actions = (['pull', 'push'] as const).filter((action) => may(membership, NEEDED[action]));
    return { scope, name: rest.join('/'), actions };
  }

  #callerOf(secret: string): Promise<RegistryCaller | null> {
    return isKey(secret) ? this.#callerOfKey(secret) : this.#callerOfToken(secret);
  }

  async #callerOfKey(key: string): Promise<RegistryCaller | null> {
    const caller = await this.keys.callerOf(key);
    return caller === null ? null : { caller, grants: null, expiresAt: null };
  }

  async #callerOfToken(token: string): Promise<RegistryCaller | null> {
    const claims = await this.tokens.claimsOf(token);
    if (claims === null) return null;
    const { sub, organizationId, grants, expiresAt } = claims;
    const caller =
      sub === NODES && organizationId !== undefined
        ? callerOfNode(organizationId)
        : await this.keys.callerOfId(sub);
    return caller === null ? null : { caller, grants, expiresAt };
  }
}

/** A node pulls what an organization's containers are made of, and pushes its builds: its grants say which. */
function callerOfNode(organizationId: string): Caller {
  const memberships = [membershipOf(organizationId, 'developer')];
  return { credentialId: NODES, userId: null, isOperator: false, memberships };
}

function denialOf({ scope }: Place, action: Action): string {
  return scope.path === LIBRARY
    ? 'Base images are pushed by the operator.'
    : `A ${action} needs the permission ${NEEDED[action]}.`;
}

function unknownName(name: string): OciError {
  return new OciError('NAME_UNKNOWN', `There is no repository ${name}.`);
}

/** Without one the client is told to get another token: it may do more than it asked for last time. */
function requireGrant({ grants }: RegistryCaller, name: string, action: Action): void {
  if (grants === null) return;
  if (allows(grants, name, action)) return;
  throw new OciError('UNAUTHORIZED', `This token is not for a ${action} of ${name}.`);
}
