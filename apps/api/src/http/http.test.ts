import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSlipway } from '@slipway/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';

const PROJECTS = '/v1/organizations/local/projects';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

test('health says that PostgreSQL is up, also through the generated client', async () => {
  const { data, response } = await createSlipway(api.url).GET('/v1/health');
  expect(response.status).toBe(200);
  expect(data).toEqual({ status: 'ok', parts: { postgres: 'up' } });
});

test('health says what a supervisor says of the parts that the API has no connection to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-parts-'));
  const file = join(folder, 'parts.json');
  await writeFile(file, '{"containerd":"down","postgres":"down"}');
  await using supervised = await startTestApi({ PARTS_FILE: file });
  const degraded = await supervised.call('GET', '/v1/health');
  // of PostgreSQL the API knows by itself
  expect(degraded.body.parts).toEqual({ containerd: 'down', postgres: 'up' });
  expect(degraded.status).toBe(503);
  await writeFile(file, '{"containerd":"up"}');
  expect(await supervised.call('GET', '/v1/health')).toMatchObject({ status: 200 });
  await rm(folder, { recursive: true });
  const lost = await supervised.call('GET', '/v1/health');
  expect(lost).toMatchObject({ status: 503, body: { parts: { supervisor: 'down' } } });
});

test('health is 503 and names PostgreSQL while it cannot be reached', async () => {
  await using lost = await startTestApi({
    DATABASE_URL: 'postgresql://slipway@/slipway?host=/nonexistent',
    OPERATOR_TOKEN: '',
  });
  const answer = await lost.call('GET', '/v1/health');
  expect(answer).toMatchObject({
    status: 503,
    body: { status: 'degraded', parts: { postgres: 'down' } },
  });
});

test('the served OpenAPI document is one of 3.1', async () => {
  const { status, body } = await api.call('GET', '/v1/openapi.json');
  expect(status).toBe(200);
  expect(body.openapi).toMatch(/^3\.1\./);
  expect(body.paths).toHaveProperty(['/v1/health', 'get']);
});

test('an unknown path is a 404 problem, a known one with another method 405', async () => {
  const unknown = await api.call('GET', '/v1/nothing-here');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'not-found', status: 404 } });
  expect(unknown.headers.get('content-type')).toContain('application/problem+json');
  expect(unknown.body.requestId).toBe(unknown.headers.get('x-request-id'));
  const method = await api.call('DELETE', '/v1/health');
  expect(method).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
  expect(method.headers.get('allow')).toBe('GET');
});

test('malformed JSON and too large a body are problems that say so', async () => {
  const malformed = await api.call('POST', '/v1/health', { body: '{"slug":' });
  expect(malformed).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
  const poisoned = await api.call('POST', '/v1/health', { body: '{"a":1,"__proto__":{"x":1}}' });
  expect(poisoned.status).toBe(400);
  const large = await api.call('POST', '/v1/health', { body: { a: 'x'.repeat(2_000_000) } });
  expect(large).toMatchObject({ status: 413, body: { code: 'payload-too-large' } });
});

test('text that cannot be kept is refused, wherever it stands', async () => {
  const bodies: [path: string, string][] = [
    ['name', '{"slug": "fine", "name": "a\\u0000b"}'],
    ['name', '{"slug": "fine", "name": "half \\ud83d of a pair"}'],
  ];
  for (const [path, body] of bodies) {
    const answer = await api.call('POST', PROJECTS, { body });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
  }
  const whole = await api.call('POST', PROJECTS, { body: { slug: 'whole', name: '💩' } });
  expect(whole).toMatchObject({ status: 201, body: { name: '💩' } });
  const env = { body: '{"image": "app", "env": {"A\\u0000": "x", "B": "\\udc00"}}' };
  const container = await api.call('POST', `${PROJECTS}/default/containers`, env);
  expect(container.status).toBe(422);
  expect(container.body.errors.map(({ path }: { path: string }) => path)).toEqual(['env', 'env.B']);
  expect((await api.call('GET', `${PROJECTS}?cursor=%00`)).status).toBe(400);
});
