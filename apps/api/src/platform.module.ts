import { type DynamicModule, Module } from '@nestjs/common';
import type { Database } from '@slipway/db';
import type { Logger } from '@slipway/log';

/** What `startApi` opened before Nest, and what every class may inject by its token. */
export interface Platform {
  log: Logger;
  database: Database;
  /** see `env.ts` */
  partsFile: string | null;
}

/** `@Inject(DATABASE) private readonly database: Database` */
export const DATABASE = Symbol('Database');
export const LOGGER = Symbol('Logger');
export const PARTS_FILE = Symbol('PartsFile');

@Module({})
class PlatformModule {}

export function platformModule(platform: Platform): DynamicModule {
  const providers = [
    { provide: LOGGER, useValue: platform.log },
    { provide: DATABASE, useValue: platform.database },
    { provide: PARTS_FILE, useValue: platform.partsFile },
  ];
  return { module: PlatformModule, global: true, providers, exports: providers };
}
