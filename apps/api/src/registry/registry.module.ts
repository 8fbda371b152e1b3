import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import { AccessModule } from '../access/access.module.ts';
import { KeyStore } from '../access/key.store.ts';
import { OpenRequests } from '../access/open-requests.ts';
import { AuditStore } from '../audit/audit.store.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import { ImageStore } from '../images/image.store.ts';
import { UploadStore } from '../images/upload.store.ts';
import { coreModule, LOGGER } from '../platform.module.ts';
import { QuotaStore } from '../quotas/quota.store.ts';
import type { Core } from '../roles/role.ts';
import { AbandonedPushes } from './abandoned-pushes.ts';
import { BlobEndpoint } from './blob.endpoint.ts';
import { ManifestEndpoint } from './manifest.endpoint.ts';
import { MetricsEndpoint } from './metrics.endpoint.ts';
import { Registry } from './registry.ts';
import { RegistryAccess } from './registry-access.ts';
import { RegistryTokens } from './registry-token.ts';
import { TokenEndpoint } from './token.endpoint.ts';
import { UploadEndpoint } from './upload.endpoint.ts';
import { UploadIds } from './upload-ids.ts';
import { Uploads } from './uploads.ts';

const openRequests = {
  provide: OpenRequests,
  inject: [KeyStore, LOGGER],
  useFactory: (keys: KeyStore, log: Logger) => new OpenRequests([keys], log),
};

@Module({
  imports: [AccessModule],
  providers: [
    ...[ImageStore, Registry, RegistryAccess, RegistryTokens, UploadIds, Uploads],
    ...[AbandonedPushes, AuditStore, AuditTrail, QuotaStore, UploadStore, openRequests],
    ...[BlobEndpoint, UploadEndpoint, ManifestEndpoint, TokenEndpoint, MetricsEndpoint],
  ],
})
class RegistryModule {}

/** Everything that serves images; it knows nothing of what serves REST. */
export function registryModule(core: Core): DynamicModule {
  return { module: RegistryModule, imports: [coreModule(core)] };
}
