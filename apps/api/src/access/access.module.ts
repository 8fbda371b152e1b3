import { Module } from '@nestjs/common';
import { KeyStore } from './key.store.ts';
import { ScopeStore } from './scope.store.ts';

const STORES = [KeyStore, ScopeStore];

/** Who calls with a key, and where a caller may act. */
@Module({ providers: STORES, exports: STORES })
export class AccessModule {}
