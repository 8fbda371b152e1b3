import {
  type Descriptor,
  digestOf,
  type ImageManifest,
  type Manifest,
  parseManifest,
  type RegistryClient,
  RegistryError,
} from '@slipway/oci';

/** The image is not what it says, or not for this machine. The message is for its owner. */
export class UnusableImage extends Error {
  override name = 'UnusableImage';
}

/** Node's name in Go's, which images use. */
export const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

export interface FoundImage {
  manifest: ImageManifest;
  bytes: Uint8Array;
  descriptor: Descriptor;
}

interface Named {
  repository: string;
  digest: string;
}

/** An image's manifest; of an index that of this machine's platform. */
export async function findImage(client: RegistryClient, named: Named): Promise<FoundImage> {
  const found = await fetchManifest(client, named);
  if (found.parsed.kind === 'image') return { ...found, manifest: found.parsed.image };
  const fitting = found.parsed.index.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === ARCHITECTURE,
  );
  if (fitting === undefined) {
    throw new UnusableImage(`The image has no variant for linux/${ARCHITECTURE}.`);
  }
  const inner = await fetchManifest(client, { ...named, digest: fitting.digest });
  if (inner.parsed.kind === 'index') {
    throw new UnusableImage('The image’s index names another index.');
  }
  return { ...inner, manifest: inner.parsed.image };
}

async function fetchManifest(client: RegistryClient, { repository, digest }: Named) {
  const fetched = await client.manifest(repository, digest);
  if (fetched === null) {
    const what = `The image ${repository}@${digest}`;
    throw new RegistryError(`${what} is not in the registry any more.`, 404);
  }
  const { content: bytes, mediaType } = fetched;
  if (digestOf(bytes) !== digest) throw new UnusableImage(`${digest} came with other bytes.`);
  return {
    parsed: parsedManifest(mediaType, bytes),
    bytes,
    descriptor: { mediaType, digest, size: bytes.length },
  };
}

function parsedManifest(mediaType: string, bytes: Uint8Array): Manifest {
  try {
    return parseManifest(mediaType, bytes);
  } catch (error) {
    throw new UnusableImage(`The image’s manifest is not usable: ${(error as Error).message}.`);
  }
}
