import { Transform } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { newId } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { BLOB_STORE } from '../platform.module.ts';
import { type BuildRow, BuildStore, SHOWN_OF_A_STEP, type StoredOutput } from './build.store.ts';
import { linesOf, outputOf } from './log-lines.ts';

const AT_A_TIME = 500;

/** What builds have written: it is in the database while they go on, in the blob store afterwards. */
@Injectable()
export class BuildLog {
  constructor(
    @Inject(BuildStore) private readonly builds: BuildStore,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
  ) {}

  /** What it wrote behind `after` until now, the oldest first, in portions. */
  async *read(
    scope: ProjectScope,
    row: Pick<BuildRow, 'id' | 'logDigest'>,
    after: bigint,
  ): AsyncGenerator<StoredOutput[]> {
    let seen = after;
    if (row.logDigest === null) {
      for await (const pieces of this.#stored(scope, row.id, after)) {
        seen = pieces.at(-1)?.id ?? seen;
        yield pieces;
      }
    }
    const digest = await this.#archiveOf(scope, row);
    if (digest === null) return;
    for await (const pieces of this.#archived(digest)) yield pieces.filter(({ id }) => id > seen);
  }

  /** The last of what each step of the newest attempt wrote, by the step's number. */
  async ofSteps(scope: ProjectScope, row: BuildRow): Promise<Map<number, string>> {
    const stored = row.logDigest === null ? await this.builds.outputOfSteps(scope, row) : new Map();
    const digest = await this.#archiveOf(scope, row);
    if (digest === null) return stored;
    const output = new Map<number, string>();
    for await (const pieces of this.#archived(digest)) {
      for (const { attempt, step, text } of pieces) {
        if (attempt !== row.attempt || step === null) continue;
        output.set(step, `${output.get(step) ?? ''}${text}`.slice(-SHOWN_OF_A_STEP));
      }
    }
    return output;
  }

  /** Takes what a build that is over has written into the blob store. */
  async archive(scope: ProjectScope, id: string): Promise<void> {
    const upload = newId('upl');
    const stored = this.#stored(scope, id, 0n);
    async function* lines() {
      for await (const pieces of stored) if (pieces.length > 0) yield Buffer.from(linesOf(pieces));
    }
    await this.blobs.open(upload);
    try {
      await this.blobs.append(upload, 0, lines());
      const { digest } = await this.blobs.finish(upload);
      await this.builds.archived(scope, id, digest);
    } catch (error) {
      await this.blobs.cancel(upload);
      throw error;
    }
  }

  async *#stored(scope: ProjectScope, id: string, behind: bigint): AsyncGenerator<StoredOutput[]> {
    let after = behind;
    for (let count = AT_A_TIME; count === AT_A_TIME; ) {
      const pieces = await this.builds.output(scope, id, { after, limit: AT_A_TIME });
      count = pieces.length;
      after = pieces.at(-1)?.id ?? after;
      yield pieces;
    }
  }

  /** Where it is now: it may have been archived since `row` was read, or while its output was. */
  async #archiveOf(
    scope: ProjectScope,
    { id, logDigest }: Pick<BuildRow, 'id' | 'logDigest'>,
  ): Promise<string | null> {
    return logDigest ?? (await this.builds.find(scope, id))?.logDigest ?? null;
  }

  #archived(digest: string): AsyncGenerator<StoredOutput[]> {
    const copied = new Transform({
      // the store writes into the same memory again
      transform: (chunk: Uint8Array, _, done) => done(null, Buffer.from(chunk)),
    });
    this.blobs.send(digest, () => copied).catch((error: Error) => copied.destroy(error));
    return outputOf(copied);
  }
}
