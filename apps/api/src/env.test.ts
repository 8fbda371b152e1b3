import { expect, test } from 'vitest';
import { readEnv } from './env.ts';

test('every wrong variable is named, and no value is shown', () => {
  const wrong = { API_PORT: 'seven', LOG_LEVEL: 'loud', DATABASE_URL: '' };
  expect(() => readEnv(wrong)).toThrow(/API_PORT.*DATABASE_URL.*SECRET_KEY.*LOG_LEVEL/);
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
  expect(env.API_PORT).toBe(7700);
});
