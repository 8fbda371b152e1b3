import { Module } from '@nestjs/common';
import { ApiKeyStore } from './api-key.store.ts';
import { ScopeStore } from './scope.store.ts';
import { SessionStore } from './session.store.ts';

const STORES = [ApiKeyStore, SessionStore, ScopeStore];

/** Who calls, and where they may act. */
@Module({ providers: STORES, exports: STORES })
export class AccessModule {}
