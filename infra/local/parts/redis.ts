import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type Instance, serviceUidOf } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import { confine } from './confined.ts';
import type { Part } from './part.ts';

const ANSWERS_WITHIN_MS = 2_000;

/** The socket's path: what ioredis takes in place of a URL. */
export function redisSocketOf({ runDir }: Instance): string {
  return join(runDir, 'redis', 'redis.sock');
}

/** A private Redis on a Unix socket that only root and its own user can reach. */
export function redisPart(instance: Instance, tools: Toolbox): Part {
  const confined = confine(instance, 'redis', tools.root);
  const socket = redisSocketOf(instance);
  // Under this name the binary is the server, whatever it is called where it lies.
  const program = join(instance.runDir, 'redis', 'redis-server');
  return {
    name: 'redis',
    needs: [],
    stopSignal: 'SIGTERM', // writes what it has
    stopGraceMs: 30_000,
    async prepare() {
      const uid = serviceUidOf(instance);
      const dir = join(instance.runDir, 'redis');
      mkdirSync(dir, { recursive: true });
      chownSync(dir, uid, uid);
      chmodSync(dir, 0o700);
      rmSync(program, { force: true });
      symlinkSync(confined.programPath(tools.fileOf('redis')), program);
      if (existsSync(socket)) rmSync(socket);
    },
    argv: () => confined.argv(program, ...settings(confined.mountPoint, socket)),
    check: () => ping(socket),
  };
}

function settings(dir: string, socket: string): string[] {
  const values: Record<string, string> = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir,
    // What a queue holds is made again from PostgreSQL; the file only spares that after a restart.
    appendonly: 'yes',
    save: '', // no second file
    appendfsync: 'everysec',
    // BullMQ: a queue that forgets jobs is worse than one that refuses them
    'maxmemory-policy': 'noeviction',
    // so that its environment still says whose it is
    'set-proc-title': 'no',
  };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

async function ping(socket: string): Promise<void> {
  const answer = await new Promise<string>((done, fail) => {
    const connection = createConnection(socket);
    connection.setTimeout(ANSWERS_WITHIN_MS, () =>
      connection.destroy(new Error('Redis does not answer')),
    );
    connection.setEncoding('utf8');
    connection.on('error', fail);
    connection.on('close', () => fail(new Error('Redis closed the connection')));
    connection.once('data', (text: string) => {
      done(text);
      connection.destroy();
    });
    connection.write('PING\r\n');
  });
  if (!answer.startsWith('+PONG')) throw new Error(`Redis says ${answer.trim()}`);
}
