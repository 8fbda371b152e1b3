import { Controller, Inject } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { z } from 'zod';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { DATABASE, PARTS_FILE } from '../platform.module.ts';
import { suppliedParts } from './supplied-parts.ts';

const ANSWERS_WITHIN_MS = 2_000;

const Health = z
  .object({
    status: z.string().meta({ examples: ['ok', 'degraded'] }),
    parts: z
      .record(z.string(), z.string().meta({ examples: ['up', 'down'] }))
      .describe('Each part that the API needs, by its name'),
  })
  .meta({ id: 'Health' });

const getHealth = defineRoute({
  method: 'GET',
  path: '/v1/health',
  operationId: 'getHealth',
  summary: 'Whether the platform and each of its parts are up',
  description: 'Answers 503 while a part is down; `parts` says which.',
  tag: 'Platform',
  access: 'public',
  responses: { 200: Health, 503: Health },
});

@Controller()
export class HealthController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(PARTS_FILE) private readonly partsFile: string | null,
  ) {}

  @Route(getHealth)
  async get(@RouteInput() { reply }: Input<typeof getHealth>): Promise<Output<typeof getHealth>> {
    const parts = {
      ...(await suppliedParts(this.partsFile)),
      postgres: await answers(this.database.pool.query('SELECT 1')),
    };
    const isUp = Object.values(parts).every((part) => part === 'up');
    reply.code(isUp ? 200 : 503);
    return { status: isUp ? 'ok' : 'degraded', parts };
  }
}

async function answers(call: Promise<unknown>): Promise<'up' | 'down'> {
  const { promise: late, resolve } = Promise.withResolvers<'down'>();
  const timer = setTimeout(() => resolve('down'), ANSWERS_WITHIN_MS);
  const answer = call.then(
    () => 'up' as const,
    () => 'down' as const,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
