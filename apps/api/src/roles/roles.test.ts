import { randomBytes } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@slipway/log';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningApi, startApi } from '../api.ts';
import { readEnv } from '../env.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode } from '../testing/node.fixture.ts';

/* The roles of the API in processes of their own. */

const WITHIN = { timeout: 30_000 };
const SECRET_KEY = randomBytes(32).toString('base64url');

let api: TestApi;
let registry: RunningApi;
beforeAll(async () => {
  api = await startTestApi({ ROLES: 'api', SECRET_KEY });
  registry = await startRegistry();
});
afterAll(async () => {
  await registry?.close();
  await api?.[Symbol.asyncDispose]();
});

/** All that it needs: neither Redis nor the agents. */
function startRegistry(): Promise<RunningApi> {
  const { databaseUrl: DATABASE_URL, blobsDir: BLOBS_DIR } = api;
  const env = { ROLES: 'registry', REGISTRY_PORT: '0', DATABASE_URL, BLOBS_DIR, SECRET_KEY };
  return startApi(readEnv(env), createLogger({ name: 'registry', level: 'silent' }));
}

const registryUrl = (): string => registry.registryUrl ?? '';
const authorization = (): { authorization: string } => ({ authorization: `Bearer ${api.token}` });

test('an image that one process took is run by the other, whose word opens it to the node', async () => {
  expect(registry.url).toBeNull();
  await using node = await joinTestNode(api);
  const digest = await pushTestImage(
    { registryUrl: registryUrl(), token: api.token },
    ...(['local/default/app', 'v1'] as const),
  );
  const path = '/v1/organizations/local/projects/default/containers';
  const made = await api.call('POST', path, { body: { image: 'app:v1' } });
  expect(made).toMatchObject({ status: 202, body: { imageDigest: digest } });
  const { engineId } = made.body;
  const { order } = await node.calls.containerOrder({ nodeId: node.id, engineId });
  const pulled = await fetch(`${registryUrl()}/v2/local/default/app/manifests/${digest}`, {
    headers: { authorization: order?.image.authorization ?? '' },
  });
  expect(pulled.status).toBe(200);
});

test('the registry alone says what it measures, to the operator', async () => {
  await fetch(`${registryUrl()}/v2/`, { headers: authorization() });
  const asked = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${registryUrl()}/metrics`, { headers });
    return { status: answer.status, text: await answer.text() };
  };
  const told = await asked(api.token);
  expect(told.status).toBe(200);
  expect(told.text).toMatch(
    /^slipway_http_request_duration_seconds_count\{server="registry",.*\} \d/m,
  );
  expect(await asked((await api.addTenant('other')).token)).toMatchObject({ status: 403 });
  expect(await asked('nothing')).toMatchObject({ status: 401 });
});

test('uploads that nobody goes on with are cleared, one that is slow is not', async () => {
  const opened = async (): Promise<string> => {
    const url = `${registryUrl()}/v2/local/default/slow/blobs/uploads/`;
    const answer = await fetch(url, { method: 'POST', headers: authorization() });
    return answer.headers.get('location') ?? '';
  };
  const [abandoned, slow] = [await opened(), await opened()];
  const fileOf = (location: string) =>
    join(api.blobsDir, 'uploads', location.split('/').at(-1) ?? '');
  const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
  await utimes(fileOf(abandoned), longAgo, longAgo);
  await registry.close();
  registry = await startRegistry();
  const statusOf = async (location: string) =>
    (await fetch(`${registryUrl()}${location}`, { headers: authorization() })).status;
  await vi.waitFor(async () => expect(await statusOf(abandoned)).toBe(404), WITHIN);
  expect(await statusOf(slow)).toBe(204);
});
