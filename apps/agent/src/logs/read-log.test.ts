import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followLog } from './follow-log.ts';
import { BEGIN, cursorOf, positionOf } from './position.ts';
import { type ReadRecord, readLog } from './read-log.ts';
import { Selection } from './selection.ts';
import { beginOfTail } from './tail.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-log-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const at = (second: number) => `2026-01-02T03:04:${String(second).padStart(2, '0')}.000Z`;
const record = (second: number, text: string, stream = 'stdout', tag = 'F') =>
  `${at(second)} ${stream} ${tag} ${text}\n`;
const file = (number: number) => join(folder, `00000${number}.log`);
const ALL = new Selection({});

async function texts(pieces: AsyncIterable<ReadRecord[]>): Promise<string[]> {
  const all: string[] = [];
  for await (const records of pieces) all.push(...records.map(({ line }) => String(line)));
  return all;
}

const tail = async (count: number, selection = ALL, least = BEGIN) =>
  texts(readLog(folder, await beginOfTail(folder, count, selection, least)));

test('what comes after any record’s place is read, over files and again and again', async () => {
  await writeFile(file(3), record(1, 'one') + record(2, 'two'));
  await writeFile(file(4), record(3, 'three'));
  const all: ReadRecord[] = [];
  for await (const records of readLog(folder)) all.push(...records);
  const lines = all.map(({ line }) => String(line));
  expect(lines).toEqual(['one', 'two', 'three']);
  for (const [index, { end }] of all.entries()) {
    const after = positionOf(cursorOf(end));
    expect(await texts(readLog(folder, after))).toEqual(lines.slice(index + 1));
  }
  // what is gone is passed over; a place that never was has nothing behind it
  expect(await texts(readLog(folder, positionOf('1.500')))).toEqual(lines);
  expect(await texts(readLog(folder, positionOf('4.99999')))).toEqual([]);
  expect(await texts(readLog(folder, positionOf('99.0')))).toEqual([]);
});

test('the newest lines are those of the end, however they lie in files and pieces', async () => {
  const long = 'x'.repeat(16_000);
  const lines = Array.from({ length: 30 }, (_, index) => `${index} ${long}`);
  await writeFile(
    file(1),
    lines
      .slice(0, 12)
      .map((line) => record(1, line))
      .join(''),
  );
  await writeFile(
    file(2),
    lines
      .slice(12)
      .map((line) => record(2, line))
      .join(''),
  );
  await appendFile(file(2), `${at(3)} stdout F not whole`);
  for (const count of [0, 1, 7, 18, 19, 29, 30, 31]) {
    expect(await tail(count)).toEqual(count === 0 ? [] : lines.slice(-count));
  }
  expect(await beginOfTail(join(folder, 'nothing'), 5, ALL, BEGIN)).toEqual(BEGIN);
});

test('a line in several records is one line, also one whose end never came', async () => {
  await writeFile(
    file(1),
    record(1, 'a') +
      record(2, 'b1', 'stdout', 'P') +
      record(3, 'b2', 'stdout', 'P') +
      record(4, 'b3'),
  );
  expect(await tail(1)).toEqual(['b1', 'b2', 'b3']);
  expect(await tail(2)).toEqual(['a', 'b1', 'b2', 'b3']);
  await appendFile(file(1), record(5, 'e') + record(6, 'prompt> ', 'stderr', 'P'));
  expect(await tail(1)).toEqual(['prompt> ']);
  expect(await tail(2)).toEqual(['e', 'prompt> ']);
});

test('only lines that are asked for count', async () => {
  const lines = [1, 2, 3, 4, 5, 6].map((second) =>
    record(second, String(second), second % 2 === 0 ? 'stderr' : 'stdout'),
  );
  await writeFile(file(1), lines.join(''));
  const selected = async (count: number, query: ConstructorParameters<typeof Selection>[0]) => {
    const selection = new Selection(query);
    const begin = await beginOfTail(folder, count, selection, BEGIN);
    const all: string[] = [];
    for await (const records of readLog(folder, begin)) {
      all.push(...records.filter((one) => selection.has(one)).map(({ line }) => String(line)));
    }
    return all;
  };
  expect(await selected(2, { stream: 'stderr' })).toEqual(['4', '6']);
  expect(await selected(2, { until: at(4) })).toEqual(['3', '4']);
  expect(await selected(9, { since: at(3) })).toEqual(['3', '4', '5', '6']);
  // the same moment, said in another zone
  expect(await selected(9, { since: '2026-01-02T05:04:05+02:00' })).toEqual(['5', '6']);
  expect(await selected(9, { since: at(2), until: at(5), stream: 'stdout' })).toEqual(['3', '5']);
  const least = { number: 1, offset: lines.slice(0, 4).join('').length };
  expect(await tail(9, ALL, least)).toEqual(['5', '6']);
  expect(await tail(1, ALL, least)).toEqual(['6']);
});

/** A reader that follows: what it has read, and what its container does. */
function follower({ until = null as Date | null } = {}) {
  const gone = new AbortController();
  const listeners = new Set<(isOver: boolean) => void>();
  const lines: string[] = [];
  const pieces = followLog(folder, BEGIN, {
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...{ until, gone: gone.signal },
  });
  const ended = (async () => {
    for await (const records of pieces) lines.push(...records.map(({ line }) => String(line)));
  })();
  return {
    ...{ lines, ended, gone, listeners },
    tell: (isOver: boolean) => {
      for (const listener of listeners) listener(isOver);
    },
    has: (count: number) => expect.poll(() => lines.length, { timeout: 30_000 }).toBe(count),
  };
}

test('who follows gets what is written as it is, over new files, and all of it at the end', async () => {
  await writeFile(file(1), record(1, '1'));
  const { lines, ended, has, tell, listeners } = follower();
  await has(1);
  await appendFile(file(1), record(2, '2'));
  await has(2);
  await writeFile(file(2), record(3, '3'));
  await has(3);
  await appendFile(file(2), record(4, '4'));
  tell(true);
  await ended;
  expect(lines).toEqual(['1', '2', '3', '4']);
  expect(listeners.size).toBe(0);
});

test('one may follow a log that has not begun', async () => {
  await rm(folder, { recursive: true });
  const { lines, ended, has, tell } = follower();
  tell(false);
  await mkdir(folder);
  await writeFile(file(1), record(1, '1'));
  tell(false);
  await has(1);
  await appendFile(file(1), record(2, '2'));
  await has(2);
  tell(true);
  await ended;
  expect(lines).toEqual(['1', '2']);
});

test('following ends when nobody reads any more, and when its time is over', async () => {
  await writeFile(file(1), record(1, '1'));
  const left = follower();
  await left.has(1);
  left.gone.abort();
  await left.ended;
  expect(left.listeners.size).toBe(0);
  const late = follower({ until: new Date(Date.now() + 50) });
  await late.ended;
  expect(late.lines).toEqual(['1']);
});
