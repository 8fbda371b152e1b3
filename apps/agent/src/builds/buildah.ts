import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOrder } from '@slipway/contracts';
import { Lines } from './lines.ts';

export interface BuildahSettings {
  /** intermediate results, a folder for each project */
  storesDir: string;
  /** what buildah keeps of them until the machine restarts */
  runDir: string;
  /** base URL without a trailing slash */
  registryUrl: string;
  /** the cgroup above those of all builds */
  cgroupParent: string;
}

/** What a build's own files are in. */
export interface WorkFolder {
  path: string;
  /** the unpacked context */
  context: string;
  /** the Dockerfile, outside of the context: what was checked is what is built */
  dockerfile: string;
}

/** A build's memory and that of all it runs. */
const MEMORY_BYTES = 2 * 1024 ** 3;
/** In place of the machine's /etc/containers. */
const CONFIGURATION = 'configuration';

/**
 * Debian's buildah, for one build. It and all that it starts have namespaces of their own, which end
 * with it: no mount shows on the machine, nothing outlives it, and it does not outlive the agent.
 */
export class Buildah {
  readonly #settings: BuildahSettings;
  readonly #order: BuildOrder;
  readonly #work: WorkFolder;
  /** host and port */
  readonly #registry: string;
  readonly #isPlain: boolean;

  constructor(settings: BuildahSettings, order: BuildOrder, work: WorkFolder) {
    this.#settings = settings;
    this.#order = order;
    this.#work = work;
    const { host, protocol } = new URL(settings.registryUrl);
    this.#registry = host;
    this.#isPlain = protocol === 'http:';
    this.#configure();
  }

  /** @param onLine gets what it writes, both streams as they came. @returns its exit code: of the command that failed, 125 for its own troubles */
  async build(onLine: (line: string) => void, signal: AbortSignal): Promise<number> {
    const { args, id, target } = this.#order;
    const memory = String(MEMORY_BYTES);
    return this.#run(
      [
        ...['build', '--isolation', 'oci', '--runtime', 'runc', '--network', 'none'],
        ...['--layers', '--force-rm', '--format', 'oci', '--iidfile', this.#file('image-id')],
        ...['--memory', memory, '--memory-swap', memory],
        ...['--cgroup-parent', join(this.#cgroups, id)],
        ...['--file', this.#work.dockerfile, ...this.#trust()],
        ...(target === null ? [] : ['--target', target]),
        ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
        this.#work.context,
      ],
      onLine,
      signal,
    );
  }

  /** What was built, to where the order says. @returns the manifest's digest; null when it failed */
  async push(onLine: (line: string) => void, signal: AbortSignal): Promise<string | null> {
    const { repository, tag } = this.#order;
    const digestFile = this.#file('digest');
    const code = await this.#run(
      [
        ...['push', `--tls-verify=${!this.#isPlain}`, '--digestfile', digestFile, ...this.#trust()],
        (await readFile(this.#file('image-id'), 'utf8')).trim(),
        `docker://${this.#registry}/${repository}:${tag}`,
      ],
      onLine,
      signal,
    );
    return code === 0 ? (await readFile(digestFile, 'utf8')).trim() : null;
  }

  /** Removes what killed builds of the project have left. Only while none is under way. */
  async tidy(signal: AbortSignal): Promise<void> {
    await this.#run(['rm', '--all'], () => {}, signal);
    for (const left of globSync(`/sys/fs/cgroup/{.,*}${this.#cgroups}/*/`)) {
      try {
        rmdirSync(left);
      } catch {
        // what was killed in it is still ending: next time
      }
    }
  }

  async #run(
    args: readonly string[],
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<number> {
    signal.throwIfAborted();
    const { storesDir, runDir } = this.#settings;
    const { projectId } = this.#order;
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL'],
        ...['unshare', '--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork'],
        ...['--kill-child=SIGKILL', 'sh', '-c', 'exec "$@" 2>&1', 'sh'],
        ...['env', ...this.#env(), 'buildah'],
        ...['--root', join(storesDir, projectId), '--runroot', join(runDir, projectId)],
        ...['--storage-driver', 'overlay'],
        ...['--registries-conf', this.#configured('registries.conf')],
        ...['--registries-conf-dir', this.#configured('registries.conf.d')],
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], cwd: this.#work.path },
    );
    const kill = (): boolean => child.kill('SIGKILL');
    signal.addEventListener('abort', kill);
    const lines = new Lines(onLine);
    child.stdout.on('data', (chunk: Buffer) => lines.add(chunk));
    try {
      const [code] = await once(child, 'close');
      lines.end();
      signal.throwIfAborted();
      return code ?? 137;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** The cgroup above those of the project's builds. */
  get #cgroups(): string {
    return join(this.#settings.cgroupParent, this.#order.projectId);
  }

  #trust(): string[] {
    return [
      ...['--signature-policy', this.#configured('policy.json')],
      ...['--authfile', this.#file('auth.json')],
    ];
  }

  #env(): string[] {
    return [
      `HOME=${this.#work.path}`,
      `TMPDIR=${this.#file('tmp')}`,
      `CONTAINERS_CONF=${this.#configured('containers.conf')}`,
      `CONTAINERS_STORAGE_CONF=${this.#configured('storage.conf')}`,
      `CONTAINERS_REGISTRIES_CONF=${this.#configured('registries.conf')}`,
    ];
  }

  /** Everything that buildah would else take from /etc/containers. */
  #configure(): void {
    const registry = this.#registry;
    const { place, token } = this.#order;
    mkdirSync(this.#configured('registries.conf.d'), { recursive: true });
    mkdirSync(this.#file('tmp'), { recursive: true });
    const put = (name: string, text: string): void => writeFileSync(this.#configured(name), text);
    put('containers.conf', '');
    put('storage.conf', '[storage]\ndriver = "overlay"\n');
    put('policy.json', JSON.stringify(POLICY));
    put('registries.conf', registries(registry, this.#isPlain, place));
    const auth = Buffer.from(`build:${token}`).toString('base64');
    const text = JSON.stringify({ auths: { [registry]: { auth } } });
    writeFileSync(this.#file('auth.json'), text, { mode: 0o600 });
  }

  #file(name: string): string {
    return join(this.#work.path, name);
  }

  #configured(name: string): string {
    return join(this.#work.path, CONFIGURATION, name);
  }
}

/** Images come from the names that `registries` maps to ours, and from nowhere else. */
const ANY = [{ type: 'insecureAcceptAnything' }];
const POLICY = {
  default: [{ type: 'reject' }],
  transports: { docker: { 'docker.io': ANY }, 'containers-storage': { '': ANY } },
};

/**
 * A name means an image of the project, else a base image, else, with organization and project in
 * front, any that the build may pull: the order that containers have their images by.
 */
function registries(registry: string, isPlain: boolean, place: string): string {
  const mapped = (prefix: string, location: string): string => `
[[registry]]
prefix = "${prefix}"
location = "${location}"
insecure = ${isPlain}
[[registry.mirror]]
location = "${registry}/${place}"
insecure = ${isPlain}
`;
  return `unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
${mapped('docker.io', registry)}${mapped('docker.io/library', `${registry}/library`)}`;
}
