import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@slipway/log';
import { connect } from '@slipway/rpc';
import { expect, onTestFinished, test } from 'vitest';
import { createDoor, listenOn } from '../door.ts';
import { serveLogs } from './logs.stream.ts';

const engineId = 'a'.repeat(64);

async function serve() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-streams-'));
  const door = createDoor(createLogger({ name: 'agent', level: 'silent' }), () => true);
  const watchers = new Set<unknown>();
  const looks = {
    watch(_: string, watcher: unknown) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
  let joined: typeof looks | null = looks;
  serveLogs(door, folder, () => joined);
  const socket = join(folder, 'agent.sock');
  await listenOn(door, socket);
  const connection = connect(`unix:${socket}`, null);
  onTestFinished(async () => {
    await connection.destroy();
    await door.close();
    await rm(folder, { recursive: true });
  });
  return {
    watchers,
    leave: () => (joined = null),
    get: (path: string) => connection.request({ method: 'GET', path }),
  };
}

test('the head of a silent log comes at once, and of readers that went away nothing stays', async () => {
  const { watchers, get } = await serve();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => get(`/containers/${engineId}/logs?follow=true`)),
  );
  await expect.poll(() => watchers.size).toBe(100);
  for (const { statusCode, body } of answers) {
    expect(statusCode).toBe(200);
    body.on('error', () => {}).destroy();
  }
  await expect.poll(() => watchers.size, { timeout: 30_000 }).toBe(0);
});

test('what is no log is refused', async () => {
  const { get, leave } = await serve();
  expect((await get('/containers/..%2f..%2fetc/logs')).statusCode).toBe(400);
  expect((await get(`/containers/${engineId}/logs?tail=x`)).statusCode).toBe(400);
  leave();
  expect((await get(`/containers/${engineId}/logs`)).statusCode).toBe(503);
});
