import { type ContainerdRpc, isAlreadyThere, isNotFound } from './rpc.ts';

/** Names for manifests: what has one is kept from the garbage collector, with all it refers to. */
export class Images {
  readonly #rpc: ContainerdRpc;

  constructor(rpc: ContainerdRpc) {
    this.#rpc = rpc;
  }

  /** the digest of its manifest; null when there is none of that name */
  async find(name: string): Promise<string | null> {
    try {
      const { image } = await this.#rpc.call<{ image: { target: { digest: string } } }>(
        'images.v1.Images/Get',
        ['GetImageRequest', 'ImageResponse'],
        { name },
      );
      return image.target.digest;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** Nothing when it is there already. */
  async create(
    name: string,
    target: { mediaType: string; digest: string; size: number },
  ): Promise<void> {
    try {
      await this.#rpc.call('images.v1.Images/Create', ['CreateImageRequest', 'ImageResponse'], {
        image: {
          name,
          target: { media_type: target.mediaType, digest: target.digest, size: target.size },
        },
      });
    } catch (error) {
      if (!isAlreadyThere(error)) throw error;
    }
  }
}
