import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { exec } from '@slipway/process';

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_TEXT = `#!/bin/sh
# Put here by Slipway while it installs packages: no service may be started or stopped. If you find
# it while no installation runs, remove it.
exit 101
`;

/** apt asks nobody anything, waits for another apt, removes nothing and restarts nothing. */
const APT_ENV = {
  DEBIAN_FRONTEND: 'noninteractive',
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};
const APT_OPTIONS = ['-y', '-o', 'DPkg::Lock::Timeout=300', '-o', 'APT::Sandbox::User=root'];

export function hasApt(): boolean {
  return existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');
}

export async function update(): Promise<void> {
  await exec('apt-get', [...APT_OPTIONS, 'update'], { env: APT_ENV });
}

/** The versioned name of what would be installed; a trailing `*` takes the highest match. */
export async function candidateOf(name: string): Promise<string | null> {
  if (!name.endsWith('-*')) return (await hasCandidate(name)) ? name : null;
  const stem = name.slice(0, -1);
  const listed = await exec('apt-cache', ['pkgnames', stem], { env: APT_ENV });
  const versions = listed.stdout
    .split('\n')
    .filter((line) => line.startsWith(stem) && /^\d+$/.test(line.slice(stem.length)))
    .sort((a, b) => Number(b.slice(stem.length)) - Number(a.slice(stem.length)));
  for (const version of versions) {
    if (await hasCandidate(version)) return version;
  }
  return null;
}

async function hasCandidate(name: string): Promise<boolean> {
  const policy = await exec('apt-cache', ['policy', name], { env: APT_ENV });
  return /Candidate: (?!\(none\))\S/.test(policy.stdout);
}

/** Installs by apt, with every service held still for as long as it takes. The caller has the machine's lock. */
export async function install(names: readonly string[]): Promise<void> {
  holdServices();
  try {
    await exec(
      'apt-get',
      [...APT_OPTIONS, 'install', '--no-install-recommends', '--no-remove', ...names],
      { env: APT_ENV },
    );
  } finally {
    releaseServices();
  }
}

/** A policy-rc.d that somebody else put there says the same or knows better: it stays. */
function holdServices(): void {
  if (existsSync(POLICY)) return;
  writeFileSync(POLICY, POLICY_TEXT);
  chmodSync(POLICY, 0o755);
}

/** Whether services are held still by us, or by a start of ours that was killed. */
export function holdsServices(): boolean {
  return existsSync(POLICY) && readFileSync(POLICY, 'utf8') === POLICY_TEXT;
}

export function releaseServices(): void {
  if (holdsServices()) rmSync(POLICY);
}

/** Downloads a package and puts its files under `root`; no maintainer script runs. */
export async function unpack(name: string, root: string): Promise<void> {
  const downloads = join(root, '.downloads', name);
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  await exec('apt-get', [...APT_OPTIONS, 'download', name], { env: APT_ENV, cwd: downloads });
  const files = join(downloads, 'files');
  for (const file of readdirSync(downloads)) {
    await exec('dpkg', ['-x', join(downloads, file), files], { env: APT_ENV });
  }
  // at once, as far as that goes: half a package would be taken for one
  const copy = ['--archive', '--link', '--remove-destination', `${files}/.`, root];
  await exec('cp', copy, { env: APT_ENV });
  rmSync(downloads, { recursive: true, force: true });
}

/** The libraries that a package's `Depends` names: what its binaries need, and no service. */
export async function librariesOf(name: string): Promise<string[]> {
  const shown = await exec('apt-cache', ['show', '--no-all-versions', name], { env: APT_ENV });
  return parseLibraries(/^Depends: (.*)$/m.exec(shown.stdout)?.[1] ?? '');
}

/** The first of each alternative, without versions; libraries and plain data only. */
export function parseLibraries(depends: string): string[] {
  return depends
    .split(',')
    .map(
      (clause) =>
        clause
          .split('|')[0]
          ?.trim()
          .split(/[\s(:]/)[0] ?? '',
    )
    .filter((dependency) => /^(lib|tzdata$|zlib1g$)/.test(dependency));
}

/** Those of `names` that dpkg does not have installed: apt must not upgrade what is there. */
export async function notInstalled(names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const query = await exec(
    'dpkg-query',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
    ['-W', '-f', '${db:Status-Status} ${Package}\n', ...names],
    { env: APT_ENV, allowFailure: true },
  );
  const installed = new Set(
    query.stdout.split('\n').flatMap((line) => /^installed (\S+)$/.exec(line)?.[1] ?? []),
  );
  return names.filter((name) => !installed.has(name));
}
