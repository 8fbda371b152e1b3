import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.ts';
import { ImageStore } from '../images/image.store.ts';
import { BlobEndpoint } from './blob.endpoint.ts';
import { ManifestEndpoint } from './manifest.endpoint.ts';
import { Registry } from './registry.ts';
import { RegistryAccess } from './registry-access.ts';
import { RegistryTokens } from './registry-token.ts';
import { TokenEndpoint } from './token.endpoint.ts';
import { UploadEndpoint } from './upload.endpoint.ts';

@Module({
  imports: [AccessModule],
  providers: [
    ...[ImageStore, Registry, RegistryAccess, RegistryTokens],
    ...[BlobEndpoint, UploadEndpoint, ManifestEndpoint, TokenEndpoint],
  ],
  exports: [ImageStore, RegistryTokens],
})
export class RegistryModule {}
