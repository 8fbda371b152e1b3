import { type DynamicModule, Module, type ValueProvider } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Queues } from '@slipway/queue';
import type { RoutePublisher } from '@slipway/routes';
import type { SignUp } from './accounts/account.service.ts';
import type { Guesses } from './accounts/guesses.ts';
import type { Core } from './roles/role.ts';

/** What the role `api` opened besides, and what every class of it may inject by its token. */
export interface Platform extends Core {
  notifications: Notifications;
  queues: Queues;
  routePublisher: RoutePublisher;
  /** see `env.ts` */
  partsFile: string | null;
  /** see `env.ts` */
  apiUrl: URL;
  /** see `env.ts` */
  servicesUrl: URL;
  /** see `env.ts` */
  signUp: SignUp;
  guesses: Guesses;
}

/** `@Inject(DATABASE) private readonly database: Database` */
export const DATABASE = Symbol('Database');
export const BLOB_STORE = Symbol('BlobStore');
export const NOTIFICATIONS = Symbol('Notifications');
export const QUEUES = Symbol('Queues');
export const ROUTE_PUBLISHER = Symbol('RoutePublisher');
export const SECRET_KEY = Symbol('SecretKey');
export const LOGGER = Symbol('Logger');
export const METRICS = Symbol('Metrics');
export const PARTS_FILE = Symbol('PartsFile');
export const API_URL = Symbol('ApiUrl');
export const SERVICES_URL = Symbol('ServicesUrl');
export const SIGN_UP = Symbol('SignUp');
export const GUESSES = Symbol('Guesses');
export const ORGANIZATION_LIMITS = Symbol('OrganizationLimits');

@Module({})
class PlatformModule {}

export function coreModule(core: Core): DynamicModule {
  return globally(coreProviders(core));
}

export function platformModule(platform: Platform): DynamicModule {
  return globally([
    ...coreProviders(platform),
    { provide: NOTIFICATIONS, useValue: platform.notifications },
    { provide: QUEUES, useValue: platform.queues },
    { provide: ROUTE_PUBLISHER, useValue: platform.routePublisher },
    { provide: PARTS_FILE, useValue: platform.partsFile },
    { provide: API_URL, useValue: platform.apiUrl },
    { provide: SERVICES_URL, useValue: platform.servicesUrl },
    { provide: SIGN_UP, useValue: platform.signUp },
    { provide: GUESSES, useValue: platform.guesses },
  ]);
}

function coreProviders(core: Core): ValueProvider[] {
  return [
    { provide: LOGGER, useValue: core.log },
    { provide: METRICS, useValue: core.metrics },
    { provide: DATABASE, useValue: core.database },
    { provide: BLOB_STORE, useValue: core.blobs },
    { provide: ORGANIZATION_LIMITS, useValue: core.organizationLimits },
    { provide: SECRET_KEY, useValue: core.secretKey },
  ];
}

function globally(providers: ValueProvider[]): DynamicModule {
  return { module: PlatformModule, global: true, providers, exports: providers };
}
