import { expect, test } from 'vitest';
import { parseRecord, RecordWriter } from './cri-record.ts';

const time = new Date('2026-01-02T03:04:05.678Z');
const head = '2026-01-02T03:04:05.678Z stdout';

function write(...chunks: string[]): string {
  const writer = new RecordWriter('stdout');
  const records = chunks.map((chunk) => writer.add(Buffer.from(chunk), time));
  return Buffer.concat([...records, writer.end(time)]).toString();
}

test('each line is a record, however it was cut as it came', () => {
  expect(write('one\ntw', 'o\n', '\n')).toBe(`${head} F one\n${head} F two\n${head} F \n`);
});

test('what has no end yet is kept back, and is partial when it never comes', () => {
  expect(write('prompt: ')).toBe(`${head} P prompt: \n`);
});

test('a long line is several records, and nothing of it is kept in memory', () => {
  const line = 'x'.repeat(40_000);
  const records = write(`${line}\n`).trimEnd().split('\n');
  expect(records.map((record) => record.split(' ')[2])).toEqual(['P', 'P', 'F']);
  expect(records.map((record) => record.split(' ')[3]).join('')).toBe(line);
});

test('a record is read as it was written, any bytes included', () => {
  const bytes = Buffer.from([0xff, 0x00, 0x20, 0x0d]);
  const writer = new RecordWriter('stderr');
  const record = writer.add(Buffer.concat([bytes, Buffer.from('\n')]), time);
  expect(parseRecord(record.subarray(0, -1))).toEqual({
    ...{ time: time.toISOString(), stream: 'stderr', isPartial: false, line: bytes },
  });
  expect(parseRecord(Buffer.from('2026-01-02T03:04'))).toBeNull();
});
