import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { createLogger } from '@slipway/log';
import { createTestDatabase } from '@slipway/test/database';
import { startApi } from '../api.ts';
import { readEnv } from '../env.ts';

/** An API as a process would be, on a database of its own. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  /** the operator's key */
  readonly token: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

interface CallOptions {
  /** a string goes as it is, anything else as JSON */
  body?: unknown;
  headers?: Record<string, string>;
  /** the operator's when left out; null: none */
  token?: string | null;
}

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of the body
  body: any;
}

/** @param overrides variables of `env.ts`; LOG_LEVEL=info shows what the API logs */
export async function startTestApi(overrides: Record<string, string> = {}): Promise<TestApi> {
  const database = await createTestDatabase();
  const token = `slp_${randomBytes(32).toString('base64url')}`;
  const env = readEnv({
    NODE_ENV: 'test',
    API_PORT: '0',
    DATABASE_URL: database.url,
    OPERATOR_TOKEN: token,
    LOG_LEVEL: 'silent',
    ...overrides,
  });
  const api = await startApi(env, createLogger({ name: 'api', level: env.LOG_LEVEL }));
  return {
    url: api.url,
    databaseUrl: database.url,
    token,
    call: (method, path, options = {}) =>
      call(`${api.url}${path}`, method, {
        token: options.token === undefined ? token : options.token,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await api.close();
      await database[Symbol.asyncDispose]();
    },
  };
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
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && answer !== '' ? JSON.parse(answer) : answer,
  };
}
