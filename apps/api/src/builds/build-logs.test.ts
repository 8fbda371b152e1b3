import { openDatabase } from '@slipway/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { testBuilds, testStep } from '../testing/build.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

/* What the test says as a node is what a build writes. */

const P = '/v1/organizations/local/projects/default';
const EVENTS = { accept: 'text/event-stream' };
const NDJSON = { accept: 'application/x-ndjson' };

let api: TestApi;
let node: TestNode;
let builds: ReturnType<typeof testBuilds>;

beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  builds = testBuilds(api, node);
});

afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

async function begun() {
  const made = await builds.build();
  return { made, order: await builds.take(made) };
}

async function logs({ id }: { id: string }, query = '', headers: Record<string, string> = {}) {
  return (await api.call('GET', `${P}/builds/${id}/logs${query}`, { headers })).body;
}

/** A stream as it comes. */
async function follow({ id }: { id: string }, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${api.token}`;
  const url = `${api.url}${P}/builds/${id}/logs?follow=true`;
  const answer = await fetch(url, { headers: { authorization, ...headers } });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  return { answer, next: async () => (await reader?.read())?.value };
}

/** What the database has of its output, until that is archived. */
async function piecesOf({ id }: { id: string }): Promise<number> {
  const database = openDatabase(api.databaseUrl);
  try {
    return await database.prisma.buildOutput.count({ where: { buildId: id } });
  } finally {
    await database.close();
  }
}

test('a report that is sent again is kept once; a step shows the end of what it wrote', async () => {
  const { made, order } = await begun();
  await builds.write(order, 0, 'a\n', 'b\n');
  await builds.write(order, 0, 'a\n', 'b\n');
  await builds.write(order, 2, `${'x'.repeat(20_000)}\n`, 'end\n');
  await builds.reportSteps(order, [testStep(1, 'succeeded'), testStep(2, 'running')], 4);
  expect(await logs(made)).toBe(`a\nb\n${'x'.repeat(20_000)}\nend\n`);
  const [first, second] = (await builds.get(made)).steps;
  expect(first.output).toBe('');
  expect(second.output).toMatch(/^x+\nend\n$/);
  expect(second.output).toHaveLength(16 * 1024);
  const [line] = (await logs(made, '', NDJSON)).split('\n');
  expect(JSON.parse(line)).toMatchObject({ step: 2, text: 'a\n', cursor: expect.any(String) });
});

test('whoever follows a build reads what it writes as it comes, to its end', async () => {
  const { made, order } = await begun();
  const { next } = await follow(made);
  for (const [index, said] of ['one\n', 'two\n'].entries()) {
    await builds.write(order, index, said);
    expect(await next()).toBe(said);
  }
  const waiting = api.call('GET', `${P}/builds/${made.id}/wait?timeoutMs=60000`);
  await builds.end(order);
  expect(await next()).toBeUndefined();
  expect(await waiting).toMatchObject({ status: 200, body: { state: 'succeeded' } });
});

test('events have a cursor, by which a client goes on that was cut off; the last says that it is over', async () => {
  const { made, order } = await begun();
  const { answer, next } = await follow(made, EVENTS);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const textOf = (event = '') => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}').text;
  await builds.write(order, 0, 'one\n');
  let event = await next();
  while (event === ':\n\n') event = await next(); // that the build was taken is news without output
  expect(textOf(event)).toBe('one\n');
  await builds.write(order, 1, 'two\n');
  await builds.end(order);
  const [id = ''] = /(?<=^id: ).*$/m.exec(event ?? '') ?? [];
  for (const rest of [
    await logs(made, '?follow=true', { ...EVENTS, 'last-event-id': id }),
    await logs(made, `?after=${id}`, EVENTS),
  ]) {
    const events = rest.split('\n\n').filter((some: string) => some !== ':');
    expect(events.map(textOf)).toEqual(['two\n', undefined, undefined]);
    expect(events.slice(1)).toEqual(['event: end\ndata: {}', '']);
  }
  const wrong = await api.call('GET', `${P}/builds/${made.id}/logs`, {
    headers: { 'last-event-id': '1.2' },
  });
  expect(wrong).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'header.last-event-id' }] },
  });
});

test('once it is over its log leaves the database, and reads the same', async () => {
  const { made, order: first } = await begun();
  await builds.write(first, 0, 'of the first attempt\n');
  await node.builds.releaseBuilds({ nodeId: node.id });
  const order = await builds.take(made);
  const texts = ['a\r\n', 'b\u2028\u{1f600}\u0001\n', 'no end of line', `${'y'.repeat(100_000)}\n`];
  for (let from = 0; from < 1500; from += 500) {
    const numbers = Array.from({ length: 500 }, (_, index) => `${from + index}\n`);
    await builds.write(order, from, ...numbers);
  }
  await builds.write(order, 1500, ...texts);
  await builds.reportSteps(order, [testStep(1, 'succeeded'), testStep(2, 'running')], 1504);
  const read = async () => ({
    text: await logs(made),
    records: await logs(made, '', NDJSON),
    steps: (await builds.get(made)).steps.map(({ output }: { output: string }) => output),
  });
  const before = await read();
  const cursors = [...before.records.matchAll(/"cursor":"(\d+)"/g)].map(([, cursor]) => cursor);
  expect(cursors).toHaveLength(1506);
  expect(await piecesOf(made)).toBe(1506);
  await builds.end(order);
  await expect.poll(() => piecesOf(made), { timeout: 60_000 }).toBe(0);
  expect(await read()).toEqual(before);
  expect(await logs(made, `?after=${cursors.at(-3)}`)).toBe(texts.slice(-2).join(''));
  expect(await logs(made, `?after=${cursors.at(-1)}`)).toBe('');
});

test('nobody who reads while it is archived misses or repeats anything', async () => {
  const { made, order } = await begun();
  const said = Array.from({ length: 2_000 }, (_, index) => `${index}\n`);
  for (let from = 0; from < said.length; from += 500) {
    await builds.write(order, from, ...said.slice(from, from + 500));
  }
  const following = Array.from({ length: 5 }, () => logs(made, '?follow=true'));
  await builds.end(order);
  const reading: Promise<string>[] = [];
  while ((await piecesOf(made)) > 0) reading.push(logs(made));
  for (const text of await Promise.all([...following, ...reading])) {
    expect(text).toBe(said.join(''));
  }
});

test('a build that never wrote anything has an empty log', async () => {
  const made = await builds.build();
  await api.call('POST', `${P}/builds/${made.id}/cancel`);
  const database = openDatabase(api.databaseUrl);
  const digest = async () => {
    const row = await database.prisma.build.findFirst({ where: { id: made.id } });
    return row?.logDigest ?? null;
  };
  await expect.poll(digest, { timeout: 60_000 }).not.toBeNull();
  await database.close();
  expect(await logs(made)).toBe('');
  expect(await logs(made, '', EVENTS)).toBe('event: end\ndata: {}\n\n');
});
