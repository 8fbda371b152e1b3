import { expect, test } from 'vitest';
import { readEnv } from './env.ts';

test('every wrong variable is named, and no value is shown', () => {
  const wrong = { API_PORT: 'seven', LOG_LEVEL: 'loud', DATABASE_URL: '' };
  expect(() => readEnv(wrong)).toThrow(/DATABASE_URL.*SECRET_KEY.*LOG_LEVEL.*API_PORT/);
  expect(() => readEnv(wrong)).not.toThrow(/seven|loud/);
});

test('the database’s URL does not show when the environment is printed', () => {
  const env = readEnv({
    DATABASE_URL: 'postgresql://me:hunter2@db/slipway',
    BLOBS_DIR: '/var/lib/slipway',
    REDIS_URL: 'redis://db',
    AGENT_SOCKET: '/run/slipway/api.sock',
    SECRET_KEY: 'k'.repeat(32),
  });
  expect(JSON.stringify(env)).not.toContain('hunter2');
  expect(env.api?.API_PORT).toBe(7700);
});

test('a process needs what its roles need, and has no others than there are', () => {
  const shared = { DATABASE_URL: 'x', BLOBS_DIR: '/var/lib/slipway', SECRET_KEY: 'k'.repeat(32) };
  expect(readEnv({ ...shared, ROLES: 'registry' })).toMatchObject({
    api: null,
    registry: { REGISTRY_PORT: 7750 },
  });
  expect(() => readEnv({ ...shared, ROLES: 'registry,api' })).toThrow(/REDIS_URL.*AGENT_SOCKET/);
  expect(() => readEnv({ ...shared, ROLES: 'registry,rest' })).toThrow(/ROLES.*"api"\|"registry"/);
});

test.each([
  ['the services’ domain', 'https://apps.test', 'https://apps.test:8443'],
  ['within it', 'https://console.apps.test', 'https://apps.test'],
  ['what it is within', 'https://apps.test', 'https://on.apps.test'],
])('people sign in on a host name that no tenant has: not %s', (_, api, services) => {
  const rest = { REDIS_URL: 'redis://db', AGENT_SOCKET: '/run/slipway/api.sock' };
  const shared = { DATABASE_URL: 'x', BLOBS_DIR: '/var/lib/slipway', SECRET_KEY: 'k'.repeat(32) };
  const read = (url: string) =>
    readEnv({ ...shared, ...rest, API_URL: url, SERVICES_URL: services });
  expect(() => read(api)).toThrow(/API_URL.*apart from the domain of SERVICES_URL/);
  expect(read('https://myapps.test').api?.API_URL.host).toBe('myapps.test');
});
