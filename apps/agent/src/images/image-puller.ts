import { randomUUID } from 'node:crypto';
import { Histogram, type Metrics, SECONDS, timed } from '@slipway/metrics';
import {
  type Descriptor,
  type ImageConfig,
  ImageConfigSchema,
  type ImageManifest,
  ImageManifestSchema,
  RegistryClient,
} from '@slipway/oci';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Containerd } from '../containerd/containerd.ts';
import { chainIdsOf } from './chain-ids.ts';
import { ARCHITECTURE, findImage, UnusableImage } from './platform-image.ts';

/** Which image, and what lets one pull it. */
export interface ImageSource {
  /** `<organization>/<project>/<name>`, or `library/<name>` */
  repository: string;
  /** of the manifest, or of an index */
  digest: string;
  /** the header's value */
  authorization: string;
}

/** An image that is on this node, unpacked. */
export interface LocalImage {
  /** its name in containerd */
  name: string;
  config: ImageConfig;
  /** the snapshot that containers are made on */
  snapshot: string;
}

/** A slow one keeps only so many others waiting, and disks like few at a time. */
const SIDE_BY_SIDE = 3;
const IMAGES_IN_MEMORY = 500;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** The garbage collector follows these. @see containerd, docs/garbage-collection.md */
const KEEPS_CONTENT = 'containerd.io/gc.ref.content.config';
const KEEPS_SNAPSHOT = 'containerd.io/gc.ref.snapshot.overlayfs';

/**
 * Brings images from the registry into containerd, each once however many want it. Layers are kept
 * unpacked only: a node is a cache of the registry.
 */
export class ImagePuller {
  readonly #containerd: Containerd;
  readonly #registryUrl: string;
  readonly #slots = pLimit(SIDE_BY_SIDE);
  readonly #underWay = new Map<string, Promise<LocalImage>>();
  /** what images are never changes; whether they are still here does */
  readonly #seen = new LRUCache<string, LocalImage>({ max: IMAGES_IN_MEMORY });
  readonly #seconds: Histogram<'outcome'>;

  constructor(
    containerd: Containerd,
    { registryUrl, metrics }: { registryUrl: string; metrics: Metrics },
  ) {
    this.#containerd = containerd;
    this.#registryUrl = registryUrl;
    this.#seconds = new Histogram({
      name: 'slipway_agent_image_pull_duration_seconds',
      help: 'How long it takes to bring an image from the registry to the node, unpacked',
      ...{ labelNames: ['outcome'], buckets: SECONDS, registers: [metrics] },
    });
  }

  /** @throws RegistryError, UnusableImage, or what containerd says */
  pull(source: ImageSource): Promise<LocalImage> {
    const name = `${source.repository}@${source.digest}`;
    const begun = this.#underWay.get(name);
    if (begun !== undefined) return begun;
    const pulling = this.#present(name)
      .then((image) => image ?? this.#slots(() => this.#timedPull(name, source)))
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, pulling);
    return pulling;
  }

  async #present(name: string): Promise<LocalImage | null> {
    const { images, snapshots } = this.#containerd;
    const seen = this.#seen.get(name);
    if (seen !== undefined) {
      const are = await Promise.all([images.find(name), snapshots.has(seen.snapshot)]);
      return are.every(Boolean) ? seen : null;
    }
    const digest = await images.find(name);
    if (digest === null) return null;
    const image = await this.#read(name, digest);
    this.#seen.set(name, image);
    return (await snapshots.has(image.snapshot)) ? image : null;
  }

  async #read(name: string, digest: string): Promise<LocalImage> {
    const { content } = this.#containerd;
    const manifest = ImageManifestSchema.parse(JSON.parse(String(await content.read(digest))));
    return imageOf(name, await content.read(manifest.config.digest));
  }

  #timedPull(name: string, source: ImageSource): Promise<LocalImage> {
    return timed(this.#seconds, {}, () => this.#pull(name, source));
  }

  async #pull(name: string, source: ImageSource): Promise<LocalImage> {
    const { content, images, leases } = this.#containerd;
    const client = new RegistryClient(this.#registryUrl, source.authorization);
    const { bytes, descriptor, manifest } = await findImage(client, source);
    const config = await fetchConfig(client, source.repository, manifest);
    const image = imageOf(name, config);
    await leases.during(async (lease) => {
      await this.#unpack(manifest, image.config, { client, source, lease });
      await content.write(manifest.config, [config], {
        ...{ lease, labels: { [KEEPS_SNAPSHOT]: image.snapshot } },
      });
      await content.write(descriptor, [bytes], {
        ...{ lease, labels: { [KEEPS_CONTENT]: manifest.config.digest } },
      });
      await images.create(name, descriptor);
    });
    return image;
  }

  /** What is not here yet is fetched side by side and unpacked in order, the lowest first. */
  async #unpack(
    { layers }: ImageManifest,
    { rootfs: { diff_ids } }: ImageConfig,
    context: { client: RegistryClient; source: ImageSource; lease: string },
  ): Promise<void> {
    const { snapshots } = this.#containerd;
    if (layers.length !== diff_ids.length) {
      throw new UnusableImage('The image’s configuration does not fit its manifest.');
    }
    const chain = chainIdsOf(diff_ids);
    let present = chain.length;
    while (present > 0 && !(await snapshots.has(chain[present - 1] ?? ''))) present--;
    const fetched = layers.slice(present).map((layer) => this.#fetch(layer, context));
    for (const fetching of fetched) fetching.catch(() => {}); // each is awaited below, or another has failed
    for (const [index, fetching] of fetched.entries()) {
      const layer = await fetching;
      const at = present + index;
      await this.#unpackLayer(layer, {
        ...{ diffId: diff_ids[at] ?? '', below: chain[at - 1] ?? '', name: chain[at] ?? '' },
        lease: context.lease,
      });
    }
  }

  async #fetch(
    layer: Descriptor,
    { client, source, lease }: { client: RegistryClient; source: ImageSource; lease: string },
  ): Promise<Descriptor> {
    const bytes = () => client.blob(source.repository, layer.digest);
    await this.#containerd.content.write(layer, bytes, { lease });
    return layer;
  }

  async #unpackLayer(
    layer: Descriptor,
    { diffId, below, name, lease }: { diffId: string; below: string; name: string; lease: string },
  ): Promise<void> {
    const { snapshots } = this.#containerd;
    const key = `extract-${randomUUID()} ${name}`;
    const mounts = await snapshots.prepare(key, below, { lease });
    try {
      const found = await snapshots.apply(layer, mounts);
      if (found !== diffId) {
        throw new UnusableImage(`Layer ${layer.digest} holds ${found}, not ${diffId} as said.`);
      }
      await snapshots.commit(key, name, { lease });
    } finally {
      await snapshots.remove(key); // gone already unless it failed, or another was first
    }
  }
}

function imageOf(name: string, bytes: Uint8Array): LocalImage {
  const parsed = ImageConfigSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) throw new UnusableImage('The image’s configuration is not one.');
  const config = parsed.data;
  if (config.os !== 'linux' || config.architecture !== ARCHITECTURE) {
    throw new UnusableImage(
      `The image is for ${config.os}/${config.architecture}, this node is linux/${ARCHITECTURE}.`,
    );
  }
  const snapshot = chainIdsOf(config.rootfs.diff_ids).at(-1);
  if (snapshot === undefined) throw new UnusableImage('The image has no layers.');
  return { name, config, snapshot };
}

async function fetchConfig(
  client: RegistryClient,
  repository: string,
  { config }: ImageManifest,
): Promise<Uint8Array> {
  if (config.size > MAX_CONFIG_BYTES) {
    throw new UnusableImage(`The image’s configuration is larger than ${MAX_CONFIG_BYTES} bytes.`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.blob(repository, config.digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
