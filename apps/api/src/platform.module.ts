import { type DynamicModule, Module } from '@nestjs/common';
import type { Database, Notifications } from '@slipway/db';
import type { Logger, Secret } from '@slipway/log';
import type { Queues } from '@slipway/queue';
import type { BlobStore } from './blobs/blob-store.ts';

/** What `startApi` opened before Nest, and what every class may inject by its token. */
export interface Platform {
  log: Logger;
  database: Database;
  blobs: BlobStore;
  notifications: Notifications;
  queues: Queues;
  /** see `env.ts` */
  secretKey: Secret;
  /** see `env.ts` */
  partsFile: string | null;
}

/** `@Inject(DATABASE) private readonly database: Database` */
export const DATABASE = Symbol('Database');
export const BLOB_STORE = Symbol('BlobStore');
export const NOTIFICATIONS = Symbol('Notifications');
export const QUEUES = Symbol('Queues');
export const SECRET_KEY = Symbol('SecretKey');
export const LOGGER = Symbol('Logger');
export const PARTS_FILE = Symbol('PartsFile');

@Module({})
class PlatformModule {}

export function platformModule(platform: Platform): DynamicModule {
  const providers = [
    { provide: LOGGER, useValue: platform.log },
    { provide: DATABASE, useValue: platform.database },
    { provide: BLOB_STORE, useValue: platform.blobs },
    { provide: NOTIFICATIONS, useValue: platform.notifications },
    { provide: QUEUES, useValue: platform.queues },
    { provide: SECRET_KEY, useValue: platform.secretKey },
    { provide: PARTS_FILE, useValue: platform.partsFile },
  ];
  return { module: PlatformModule, global: true, providers, exports: providers };
}
