import type { Database } from '@slipway/db';
import type { Logger, Secret } from '@slipway/log';
import type { Metrics } from '@slipway/metrics';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { RequestDurations } from '../http/request-durations.ts';
import type { Limits } from '../quotas/quota.schema.ts';

/** What one process may do of the control plane; `env.ts` says which of them it does. */
export const ROLES = ['api', 'registry'] as const;

/** A role that a process has taken. */
export interface RunningRole {
  /** `http://127.0.0.1:7700` */
  url: string;
  close(): Promise<void>;
}

/** What all roles of a process share. */
export interface Core {
  log: Logger;
  metrics: Metrics;
  requests: RequestDurations;
  database: Database;
  blobs: BlobStore;
  /** what organizations may have unless theirs are set */
  organizationLimits: Limits;
  /** see `env.ts` */
  secretKey: Secret;
}
