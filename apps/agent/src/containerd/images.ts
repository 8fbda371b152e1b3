import { type ContainerdRpc, unlessAbsent, unlessPresent } from './rpc.ts';

/** Names for manifests: what has one is kept from the garbage collector, with all it refers to. */
export class Images {
  readonly #rpc: ContainerdRpc;

  constructor(rpc: ContainerdRpc) {
    this.#rpc = rpc;
  }

  /** the digest of its manifest; null when there is none of that name */
  async find(name: string): Promise<string | null> {
    const answer = await unlessAbsent(
      this.#rpc.call<{ image: { target: { digest: string } } }>(
        'images.v1.Images/Get',
        ['GetImageRequest', 'ImageResponse'],
        { name },
      ),
    );
    return answer?.image.target.digest ?? null;
  }

  /** Nothing when it is there already. */
  async create(
    name: string,
    target: { mediaType: string; digest: string; size: number },
  ): Promise<void> {
    const { mediaType: media_type, digest, size } = target;
    await unlessPresent(
      this.#rpc.call('images.v1.Images/Create', ['CreateImageRequest', 'ImageResponse'], {
        image: { name, target: { media_type, digest, size } },
      }),
    );
  }
}
