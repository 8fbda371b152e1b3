import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { exec } from '@slipway/process';
import pg from 'pg';
import { type Env, inheritedEnv } from '../env.ts';
import { isSameFolder } from '../files.ts';
import { type Instance, serviceUidOf } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import { killAll, pids, programOf } from '../process.ts';
import { type Confined, confine } from './confined.ts';
import type { Part } from './part.ts';

/** The platform's role: owns its database and may create others, and is no superuser. */
const ROLE = 'slipway';

const ANSWERS_WITHIN_MS = 2_000;

/** @param database the platform's own when left out */
export function postgresUrl(instance: Instance, database = ROLE): string {
  return `postgresql://${ROLE}@/${database}?host=${socketDirOf(instance)}`;
}

/** A private PostgreSQL on a Unix socket that only root and its own user can reach. */
export function postgresPart(instance: Instance, env: Env, tools: Toolbox): Part {
  const confined = confine(instance, 'postgres', tools.root);
  const file = tools.fileOf('postgres');
  const dataDir = dataDirOf(instance);
  const program = confined.programPath(file);
  const context = { instance, env, confined, program };
  return {
    name: 'postgres',
    needs: [],
    stopSignal: 'SIGINT', // "fast": ends sessions, writes a checkpoint
    stopGraceMs: 30_000,
    async prepare() {
      await endOrphans(instance);
      makeSocketDir(instance);
      if (existsSync(join(dataDir, 'PG_VERSION'))) {
        await requireSameVersion(env, dataDir, file);
        rmSync(join(dataDir, 'postmaster.pid'), { force: true });
      } else {
        await initialize(context);
      }
    },
    argv: () =>
      confined.argv(program, '-D', join(confined.mountPoint, 'data'), ...settings(instance)),
    async check() {
      const client = new pg.Client({
        connectionString: postgresUrl(instance),
        connectionTimeoutMillis: ANSWERS_WITHIN_MS,
        query_timeout: ANSWERS_WITHIN_MS,
      });
      client.on('error', () => {}); // the server may end while we ask
      try {
        await client.connect();
        await client.query('SELECT 1');
      } finally {
        await client.end().catch(() => {});
      }
    },
  };
}

function dataDirOf({ stateDir }: Instance): string {
  return join(stateDir, 'postgres', 'data');
}

function socketDirOf({ runDir }: Instance): string {
  return join(runDir, 'postgres');
}

/** Empty: the pid in a lock file that a killed server left may be somebody else's by now. */
function makeSocketDir(instance: Instance): void {
  const dir = socketDirOf(instance);
  const uid = serviceUidOf(instance);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  chownSync(dir, uid, uid);
  chmodSync(dir, 0o700);
}

/** A postmaster, or what it began. A container’s program can have its name and title, but not its folder. */
export function isServerOf(instance: Instance, pid: number): boolean {
  return programOf(pid) === 'postgres' && isSameFolder(`/proc/${pid}/cwd`, dataDirOf(instance));
}

/**
 * Nobody else has this instance: what runs of it was left by a killed postmaster. It ends by itself, most
 * of it at once; but as long as one is attached to the shared memory, no other server starts.
 */
async function endOrphans(instance: Instance): Promise<void> {
  await killAll('a killed PostgreSQL', () => pids().filter((pid) => isServerOf(instance, pid)));
}

function settings(instance: Instance): string[] {
  const values: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: socketDirOf(instance),
    cluster_name: `slipway-${instance.id}`,
    max_connections: 200,
    shared_buffers: '128MB',
    logging_collector: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function initialize(context: {
  instance: Instance;
  env: Env;
  confined: Confined;
  program: string;
}): Promise<void> {
  const { instance, env, confined, program } = context;
  const data = join(confined.mountPoint, 'data.new');
  const run = async (input: string, command: string, ...args: string[]): Promise<void> => {
    const [first = '', ...rest] = confined.argv(command, ...args);
    await exec(first, rest, {
      env: { ...inheritedEnv(env), LC_ALL: 'C.UTF-8', SLIPWAY_HOME: instance.stateDir },
      input,
      timeoutMs: 120_000,
    });
  };
  const options = ['--username=postgres', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  await run('', 'rm', '-rf', data);
  await run('', join(dirname(program), 'initdb'), '-D', data, ...options, '--auth=reject');
  // Single-user mode needs neither a login nor psql; one statement a line.
  const statements = [
    `CREATE ROLE ${ROLE} LOGIN CREATEDB`,
    `CREATE DATABASE ${ROLE} OWNER ${ROLE}`,
  ];
  const script = statements.map((text) => `${text};\n`).join('');
  await run(script, program, '--single', '-D', data, 'postgres');
  // The socket's folder lets only root in, so whoever reaches it may be the platform's role, and no other.
  const rules = join(instance.stateDir, 'postgres', 'data.new', 'pg_hba.conf');
  writeFileSync(rules, `local all ${ROLE} trust\n`);
  await exec('sync', ['-f', rules], { env: inheritedEnv(env) });
  // only a finished cluster bears the name that later starts look for
  await run('', 'mv', data, join(confined.mountPoint, 'data'));
}

async function requireSameVersion(env: Env, dataDir: string, file: string): Promise<void> {
  const wanted = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  const said = await exec(file, ['--version'], { env: inheritedEnv(env) });
  const present = /(\d+)/.exec(said.stdout)?.[1];
  if (present === wanted) return;
  throw new Error(
    `The database under ${dataDir} is of PostgreSQL ${wanted}, and this machine has ${present}: install postgresql-${wanted}, or delete the data with "npm run reset".`,
  );
}
