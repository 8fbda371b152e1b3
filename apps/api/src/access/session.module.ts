import { Module } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import { LOGGER } from '../platform.module.ts';
import { AccessModule } from './access.module.ts';
import { KeyStore } from './key.store.ts';
import { OpenRequests } from './open-requests.ts';
import { SessionStore } from './session.store.ts';
import { SessionCookie } from './session-cookie.ts';

const openRequests = {
  provide: OpenRequests,
  inject: [KeyStore, SessionStore, LOGGER],
  useFactory: (keys: KeyStore, sessions: SessionStore, log: Logger) =>
    new OpenRequests([keys, sessions], log),
};

const PARTS = [SessionStore, SessionCookie, openRequests];

/** Who calls from a browser: of REST only, the registry knows no sessions. */
@Module({ imports: [AccessModule], providers: PARTS, exports: PARTS })
export class SessionModule {}
