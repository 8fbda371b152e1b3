import { join } from 'node:path';
import { Readable } from 'node:stream';
import { EngineIdSchema, type LogQuery, LogQuerySchema } from '@slipway/contracts';
import type { FastifyInstance } from 'fastify';
import type { Looks } from '../containers/looks.ts';
import { refuse } from '../door.ts';
import { type Following, followLog } from '../logs/follow-log.ts';
import { BEGIN, type Position, positionOf } from '../logs/position.ts';
import { readLog } from '../logs/read-log.ts';
import { Selection } from '../logs/selection.ts';
import { beginOfTail } from '../logs/tail.ts';
import { type LogFormat, logFormat } from './log-format.ts';

/**
 * `GET /containers/<engine id>/logs`: what a container has written, in the form that `Accept` names.
 * @param looks null: the agent has not joined yet
 */
export function serveLogs(
  door: FastifyInstance,
  logsDir: string,
  looks: () => Pick<Looks, 'watch'> | null,
): void {
  door.get<{ Params: { engineId: string } }>('/containers/:engineId/logs', (request, reply) => {
    const { engineId } = request.params;
    const query = LogQuerySchema.safeParse(request.query);
    if (!query.success) throw refuse(query.error.message);
    if (!EngineIdSchema.safeParse(engineId).success) throw refuse('no such identifier');
    const seen = looks();
    if (seen === null) return reply.code(503).send({ message: 'The node has not joined yet.' });
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { until } = query.data;
    const following: Following = {
      watch: (listener) => seen.watch(engineId, listener),
      until: until === undefined ? null : new Date(until),
      gone: gone.signal,
    };
    const format = logFormat(request.headers.accept, query.data.timestamps);
    const log = formatted(join(logsDir, engineId), query.data, following, format);
    return reply.type(format.contentType).send(Readable.from(log));
  });
}

async function* formatted(
  folder: string,
  query: LogQuery,
  following: Following,
  format: LogFormat,
): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0); // who follows one that is silent has the answer's head at once
  const selection = new Selection(query);
  const begin = await beginOf(folder, query, selection);
  const pieces = query.follow ? followLog(folder, begin, following) : readLog(folder, begin);
  for await (const records of pieces) {
    if (records.length === 0) yield Buffer.from(format.idle);
    yield format.of(records.filter((record) => selection.has(record)));
  }
  yield Buffer.from(format.end);
}

async function beginOf(
  folder: string,
  { after, tail }: LogQuery,
  selection: Selection,
): Promise<Position> {
  const least = after === undefined ? BEGIN : positionOf(after);
  return tail === undefined ? least : beginOfTail(folder, tail, selection, least);
}
