import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '@slipway/db';
import { createLogger, type LoggerOptions } from '@slipway/log';
import { createTestDatabase } from '@slipway/test/database';
import { testRedisUrl } from '@slipway/test/redis';
import { addKey, addTenant } from '@slipway/test/tenant';
import type { Role } from '../access/permissions.ts';
import { startApi } from '../api.ts';
import { readEnv } from '../env.ts';

/** An API as a process would be, on a database of its own. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly registryUrl: string;
  readonly databaseUrl: string;
  readonly blobsDir: string;
  /** where agents talk to it */
  readonly agentSocket: string;
  readonly redisUrl: string;
  /** the operator's key */
  readonly token: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** what no answer tells */
  openDatabase(): Database & AsyncDisposable;
  /** somebody who is signed in, with an organization `<slug>` and a project `default` of their own */
  addPerson(slug: string): Promise<{ cookie: string }>;
  /** another key of the organization `local` */
  addKey(role: Role): Promise<{ token: string }>;
  /** another organization with a project of its own, `<slug>/web`, and its owner's key */
  addTenant(slug: string): Promise<{ token: string }>;
}

interface CallOptions {
  /** a string goes as it is, anything else as JSON */
  body?: unknown;
  headers?: Record<string, string>;
  /** the operator's when left out; null: none */
  token?: string | null;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of the body
  body: any;
}

/**
 * @param overrides variables of `env.ts`; LOG_LEVEL=info shows what the API logs
 * @param log where it goes
 */
export async function startTestApi(
  overrides: Record<string, string> = {},
  log: Pick<LoggerOptions, 'destination'> = {},
): Promise<TestApi> {
  const database = await createTestDatabase();
  const blobsDir = await mkdtemp(join(tmpdir(), 'slipway-blobs-'));
  const agentSocket = join(blobsDir, 'api.sock');
  const redisUrl = testRedisUrl();
  const token = `slp_${randomBytes(32).toString('base64url')}`;
  const env = readEnv({
    NODE_ENV: 'test',
    API_PORT: '0',
    REGISTRY_PORT: '0',
    BLOBS_DIR: blobsDir,
    AGENT_SOCKET: agentSocket,
    REDIS_URL: redisUrl,
    SERVICES_URL: 'http://example.test:8000',
    SECRET_KEY: randomBytes(32).toString('base64url'),
    DATABASE_URL: database.url,
    OPERATOR_TOKEN: token,
    LOG_LEVEL: 'silent',
    SIGN_UP: 'open',
    ...overrides,
  });
  const api = await startApi(
    env,
    createLogger({ name: 'api', level: env.shared.LOG_LEVEL, ...log }),
  );
  return {
    url: served(api.url),
    get registryUrl() {
      return served(api.registryUrl);
    },
    databaseUrl: database.url,
    blobsDir,
    ...{ agentSocket, redisUrl },
    token,
    call: (method, path, options = {}) =>
      call(`${served(api.url)}${path}`, method, {
        token: options.token === undefined ? token : options.token,
        ...options,
      }),
    async addPerson(slug) {
      const body = { email: `${slug}@example.test`, password: `password of ${slug}`, name: slug };
      const { headers } = await call(`${served(api.url)}/v1/auth/sign-up`, 'POST', { body });
      return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '' };
    },
    openDatabase() {
      const opened = openDatabase(database.url);
      return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
    },
    addKey: (role) => addKey(database.url, 'local', role),
    addTenant: (slug) => addTenant(database.url, slug),
    async [Symbol.asyncDispose]() {
      await api.close();
      await database[Symbol.asyncDispose]();
      await rm(blobsDir, { recursive: true });
    },
  };
}

function served(url: string | null): string {
  if (url === null) throw new Error('the process does not have this role');
  return url;
}

async function call(url: string, method: string, options: CallOptions): Promise<Answer> {
  const { body } = options;
  const headers: Record<string, string> = { ...options.headers };
  if (options.token) headers.authorization ??= `Bearer ${options.token}`;
  if (body !== undefined) headers['content-type'] ??= 'application/json';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && answer !== '' ? JSON.parse(answer) : answer,
  };
}
