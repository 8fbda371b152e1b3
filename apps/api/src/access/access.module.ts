import { Module } from '@nestjs/common';
import { ApiKeyStore } from './api-key.store.ts';
import { ScopeStore } from './scope.store.ts';

/** Who calls, and where they may act. */
@Module({ providers: [ApiKeyStore, ScopeStore], exports: [ApiKeyStore, ScopeStore] })
export class AccessModule {}
