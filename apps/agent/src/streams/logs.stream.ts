import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type ReadRecord, readLog } from '../logs/read-log.ts';

const NDJSON = 'application/x-ndjson';
const TEXT = 'text/plain; charset=utf-8';

/** `GET /containers/<engine id>/logs`: what a container has written, in the form that `Accept` names. */
export function serveLogs(door: FastifyInstance, logsDir: string): void {
  door.get<{ Params: { engineId: string } }>('/containers/:engineId/logs', (request, reply) => {
    const { engineId } = request.params;
    if (!/^[0-9a-f]{64}$/.test(engineId)) return reply.code(400).send();
    const isNdjson = request.headers.accept === NDJSON;
    const format = isNdjson ? asNdjson : asText;
    return reply
      .type(isNdjson ? NDJSON : TEXT)
      .send(Readable.from(formatted(join(logsDir, engineId), format), { objectMode: false }));
  });
}

async function* formatted(folder: string, format: (record: ReadRecord) => Buffer) {
  for await (const records of readLog(folder)) {
    if (records.length > 0) yield Buffer.concat(records.map(format));
  }
}

/** Just as the program wrote it. */
function asText({ line, isPartial }: ReadRecord): Buffer {
  return isPartial ? line : Buffer.concat([line, Buffer.from('\n')]);
}

function asNdjson({ time, stream, line, isPartial, cursor }: ReadRecord): Buffer {
  const partial = isPartial ? { partial: true } : {};
  return Buffer.from(
    `${JSON.stringify({ time, stream, line: String(line), ...partial, cursor })}\n`,
  );
}
