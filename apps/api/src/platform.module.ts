import { type DynamicModule, Module } from '@nestjs/common';
import type { Database, Notifications } from '@slipway/db';
import type { Logger, Secret } from '@slipway/log';
import type { Queues } from '@slipway/queue';
import type { RoutePublisher } from '@slipway/routes';
import type { BlobStore } from './blobs/blob-store.ts';

/** What `startApi` opened before Nest, and what every class may inject by its token. */
export interface Platform {
  log: Logger;
  database: Database;
  blobs: BlobStore;
  notifications: Notifications;
  queues: Queues;
  routePublisher: RoutePublisher;
  /** see `env.ts` */
  secretKey: Secret;
  /** see `env.ts` */
  partsFile: string | null;
  /** see `env.ts` */
  servicesUrl: URL;
}

/** `@Inject(DATABASE) private readonly database: Database` */
export const DATABASE = Symbol('Database');
export const BLOB_STORE = Symbol('BlobStore');
export const NOTIFICATIONS = Symbol('Notifications');
export const QUEUES = Symbol('Queues');
export const ROUTE_PUBLISHER = Symbol('RoutePublisher');
export const SECRET_KEY = Symbol('SecretKey');
export const LOGGER = Symbol('Logger');
export const PARTS_FILE = Symbol('PartsFile');
export const SERVICES_URL = Symbol('ServicesUrl');

@Module({})
class PlatformModule {}

export function platformModule(platform: Platform): DynamicModule {
  const providers = [
    { provide: LOGGER, useValue: platform.log },
    { provide: DATABASE, useValue: platform.database },
    { provide: BLOB_STORE, useValue: platform.blobs },
    { provide: NOTIFICATIONS, useValue: platform.notifications },
    { provide: QUEUES, useValue: platform.queues },
    { provide: ROUTE_PUBLISHER, useValue: platform.routePublisher },
    { provide: SECRET_KEY, useValue: platform.secretKey },
    { provide: PARTS_FILE, useValue: platform.partsFile },
    { provide: SERVICES_URL, useValue: platform.servicesUrl },
  ];
  return { module: PlatformModule, global: true, providers, exports: providers };
}
