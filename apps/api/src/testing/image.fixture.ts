import { digestOf, MEDIA_TYPES, RegistryClient } from '@slipway/oci';
import type { TestApi } from './api.fixture.ts';

/** One of no layers: for the API an image is what has a manifest. @returns its digest */
export async function pushTestImage(
  { registryUrl, token }: Pick<TestApi, 'registryUrl' | 'token'>,
  repository: string,
  tag: string,
  annotations: Record<string, string> = {},
): Promise<string> {
  const client = new RegistryClient(registryUrl, `Bearer ${token}`);
  const bytes = Buffer.from('{}');
  const config = { mediaType: MEDIA_TYPES.config, digest: digestOf(bytes), size: bytes.length };
  await client.pushBlob(repository, config, bytes);
  const mediaType = MEDIA_TYPES.manifest;
  const content = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [], annotations });
  await client.pushManifest(repository, tag, { mediaType, content });
  return digestOf(content);
}
