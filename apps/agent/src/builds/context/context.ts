import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PassThrough, type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { BuildFailure } from '../build-failure.ts';

/** Of what a context may hold, unpacked. */
interface Limits {
  entries: number;
  bytes: number;
}

const LIMITS: Limits = { entries: 200_000, bytes: 4 * 1024 ** 3 };
const MAX_DOCKERFILE_KIB = 256;
const SHOWN_CHARACTERS = 400;
/** A name of thousands of characters and the reason behind it come in pieces. */
const MAX_COMPLAINTS = 64 * 1024;

/**
 * Unpacks a build's context, maybe compressed, below `folder`. GNU tar writes nothing outside of it,
 * whatever names and links say; everything is root's, as `COPY` has it; devices cannot be made.
 * @throws BuildFailure `context-unusable`; what `source` throws
 */
export async function unpackContext(
  source: Readable,
  folder: string,
  limits: Limits = LIMITS,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  let sourceError: unknown = null;
  async function* watched() {
    try {
      for await (const chunk of source) yield chunk as Buffer;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  const chunks = watched();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* whole() {
    yield head;
    yield* chunks;
  }
  const tar = startTar(folder, limits);
  const ended = outcomeOf(tar, limits);
  const feeding = pipeline(whole, decompressorFor(head), limitedTo(limits), tar.stdin).catch(
    (error: NodeJS.ErrnoException) => error,
  );
  const [{ code, signal, said, entries }, error] = await Promise.all([ended, feeding]);
  if (sourceError !== null) throw sourceError;
  if (entries > limits.entries) throw unusable(`it has more than ${limits.entries} entries`);
  // tar may end before it has read all: behind an archive's end, or since it failed, which its code says
  const isTarsDoing = ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error?.code ?? '');
  if (error && !isTarsDoing) throw unusable(error.message);
  if (signal === 'SIGXFSZ') throw unusable(`a file of it has more than ${limits.bytes} bytes`);
  if (signal !== null) throw new Error(`tar was ended by ${signal}`);
  if (/: No space left on device$/.test(said)) throw new Error(`tar: ${said}`);
  if (code !== 0) throw unusable(shortened(said));
}

/** Names may be long, and the reason stands behind them. */
function shortened(said: string): string {
  const { length } = said;
  return length <= SHOWN_CHARACTERS
    ? said
    : `${said.slice(0, SHOWN_CHARACTERS / 2)}…${said.slice(-SHOWN_CHARACTERS / 2)}`;
}

function unusable(why: string): BuildFailure {
  return new BuildFailure('context-unusable', `The context is no usable tar: ${why}.`);
}

function startTar(folder: string, { bytes }: Limits): ChildProcessWithoutNullStreams {
  const confined = ['--pdeathsig', 'KILL', '--inh-caps=-mknod', '--bounding-set=-mknod'];
  const tar = ['tar', '--extract', '--verbose', '--no-same-owner', '--preserve-permissions'];
  return spawn('setpriv', [
    ...[...confined, 'prlimit', `--fsize=${bytes}`],
    ...['env', 'LC_ALL=C', ...tar, '--directory', folder],
  ]);
}

/** @returns what it complained of first, and how many entries it has unpacked; too many end it */
async function outcomeOf(
  tar: ChildProcessWithoutNullStreams,
  limits: Limits,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string; entries: number }> {
  let entries = 0;
  let complaints = '';
  tar.stdout.on('data', (names: Buffer) => {
    for (const byte of names) if (byte === NEWLINE) entries++;
    if (entries > limits.entries) tar.kill('SIGKILL');
  });
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaints.length < MAX_COMPLAINTS) complaints += text;
  });
  const [code, signal] = await once(tar, 'close');
  const [first = ''] = complaints
    .split('\n')
    .filter((line) => !/^tar: (Removing|Child)/.test(line));
  return { code, signal, said: first.replace(/^tar: /, ''), entries };
}

const NEWLINE = 0x0a;

const MAGIC_BYTES = 4;
const COMPRESSIONS = [
  { magic: Buffer.from([0x1f, 0x8b]), make: createGunzip },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), make: createZstdDecompress },
];

/** What the request called it does not count. @param head its first bytes */
function decompressorFor(head: Buffer): Transform {
  const found = COMPRESSIONS.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  return found === undefined ? new PassThrough() : found.make();
}

function limitedTo({ bytes }: Limits) {
  return async function* limited(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let count = 0;
    for await (const chunk of source) {
      count += chunk.length;
      if (count > bytes) throw new Error(`it has more than ${bytes} bytes`);
      yield chunk;
    }
  };
}

/**
 * @param path in the context; links are followed, but not out of it
 * @throws BuildFailure `dockerfile-not-found`
 */
export async function readDockerfile(folder: string, path: string): Promise<string> {
  const found = await readFromContext(folder, path, MAX_DOCKERFILE_KIB);
  if ('text' in found) return found.text;
  throw new BuildFailure('dockerfile-not-found', `The context has no "${path}"${found.lack}.`);
}

/**
 * @param path in the context; links are followed, but not out of it
 * @returns its text, or what it lacks, to be said behind its name: '' when it is not there at all
 */
export async function readFromContext(
  folder: string,
  path: string,
  maxKib: number,
): Promise<{ text: string } | { lack: string }> {
  const root = await realpath(folder);
  const file = await realpath(join(root, path)).catch(() => null);
  // nobody learns what is outside: a link that leads there is as one that leads nowhere
  if (!file?.startsWith(`${root}/`)) {
    return { lack: (await isLink(root, path)) ? ' that lies in it' : '' };
  }
  const found = await stat(file);
  if (!found.isFile()) return { lack: ' that is a file' };
  if (found.size > maxKib * 1024) return { lack: ` of at most ${maxKib} KiB` };
  return { text: await readFile(file, 'utf8') };
}

/** @param path in the context; what is outside of it is none */
async function isLink(root: string, path: string): Promise<boolean> {
  const folder = await realpath(dirname(join(root, path))).catch(() => null);
  if (folder !== root && !folder?.startsWith(`${root}/`)) return false;
  const found = await lstat(join(folder, basename(path))).catch(() => null);
  return found?.isSymbolicLink() ?? false;
}
