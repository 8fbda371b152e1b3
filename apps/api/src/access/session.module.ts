import { Module } from '@nestjs/common';
import { SessionStore } from './session.store.ts';
import { SessionCookie } from './session-cookie.ts';

const PARTS = [SessionStore, SessionCookie];

/** Who calls from a browser: of REST only, the registry knows no sessions. */
@Module({ providers: PARTS, exports: PARTS })
export class SessionModule {}
