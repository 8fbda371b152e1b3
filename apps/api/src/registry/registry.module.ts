import { type DynamicModule, Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.ts';
import { ImageStore } from '../images/image.store.ts';
import { coreModule } from '../platform.module.ts';
import type { Core } from '../roles/role.ts';
import { AbandonedUploads } from './abandoned-uploads.ts';
import { BlobEndpoint } from './blob.endpoint.ts';
import { ManifestEndpoint } from './manifest.endpoint.ts';
import { MetricsEndpoint } from './metrics.endpoint.ts';
import { Registry } from './registry.ts';
import { RegistryAccess } from './registry-access.ts';
import { RegistryTokens } from './registry-token.ts';
import { TokenEndpoint } from './token.endpoint.ts';
import { UploadEndpoint } from './upload.endpoint.ts';
import { UploadIds } from './upload-ids.ts';

@Module({
  imports: [AccessModule],
  providers: [
    ...[ImageStore, Registry, RegistryAccess, RegistryTokens, UploadIds, AbandonedUploads],
    ...[BlobEndpoint, UploadEndpoint, ManifestEndpoint, TokenEndpoint, MetricsEndpoint],
  ],
})
class RegistryModule {}

/** Everything that serves images; it knows nothing of what serves REST. */
export function registryModule(core: Core): DynamicModule {
  return { module: RegistryModule, imports: [coreModule(core)] };
}
