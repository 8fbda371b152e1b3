import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Descriptor, MEDIA_TYPES } from '@slipway/oci';
import { type Pack, pack } from 'tar-stream';

/** One thing in a layer; `path` without a leading slash. It is root's unless it says whose (uid and gid). */
export type Entry =
  | { type: 'directory'; path: string; mode: number; owner?: number }
  | { type: 'text'; path: string; text: string }
  /** a file of this machine; links are followed */
  | { type: 'file'; path: string; from: string; mode: number }
  | { type: 'symlink'; path: string; target: string };

/** The same bytes at each making. */
const TIME = new Date(0);

/**
 * Writes a layer, the folders above each entry included. It is not compressed: on one machine that
 * saves no time, and so its digest is also the one that configurations and builders know it by.
 */
export async function writeLayer(entries: readonly Entry[], file: string): Promise<Descriptor> {
  const tar = pack();
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const written = pipeline(tar, measure, createWriteStream(file));
  try {
    for (const entry of withParents(entries)) await add(tar, entry);
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
  }
  await written;
  return { mediaType: MEDIA_TYPES.layer, digest: `sha256:${hash.digest('hex')}`, size };
}

function withParents(entries: readonly Entry[]): Entry[] {
  const known = new Set(entries.map(({ path }) => path));
  const all: Entry[] = [];
  for (const entry of entries) {
    const parts = entry.path.split('/').slice(0, -1);
    for (const [index] of parts.entries()) {
      const path = parts.slice(0, index + 1).join('/');
      if (known.has(path)) continue;
      known.add(path);
      all.push({ type: 'directory', path, mode: 0o755 });
    }
    all.push(entry);
  }
  return all;
}

async function add(tar: Pack, entry: Entry): Promise<void> {
  const header = { name: entry.path, mtime: TIME, uid: 0, gid: 0 };
  switch (entry.type) {
    case 'directory':
      tar.entry({
        ...{ ...header, type: 'directory', mode: entry.mode },
        ...{ uid: entry.owner ?? 0, gid: entry.owner ?? 0 },
      });
      return;
    case 'symlink':
      tar.entry({ ...header, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'text':
      tar.entry({ ...header, mode: 0o644 }, entry.text);
      return;
    case 'file': {
      const { size } = statSync(entry.from);
      await pipeline(
        createReadStream(entry.from, { highWaterMark: 1024 * 1024 }),
        tar.entry({ ...header, mode: entry.mode, size }),
      );
    }
  }
}
