import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { invalid } from '../http/validate.ts';
import {
  type Amounts,
  type Interval,
  IntervalQuery,
  MOST_INTERVALS,
  OrganizationUsage,
  type Period,
  PeriodQuery,
  ProjectUsage,
} from './usage.schema.ts';
import { UsageStore } from './usage.store.ts';

const getOrganizationUsage = defineRoute({
  ...{ method: 'GET', path: '/v1/organizations/:organization/usage', tag: 'Organizations' },
  ...{ operationId: 'getOrganizationUsage', access: { organization: 'usage:read' } },
  summary: 'What each project of an organization has used',
  params: z.object({ organization: z.string() }),
  query: PeriodQuery,
  responses: { 200: OrganizationUsage },
});

const getProjectUsage = defineRoute({
  method: 'GET',
  path: '/v1/organizations/:organization/projects/:project/usage',
  ...{ tag: 'Projects', operationId: 'getProjectUsage', access: { project: 'usage:read' } },
  summary: 'What a project has used, and when',
  params: z.object({ organization: z.string(), project: z.string() }),
  query: IntervalQuery,
  responses: { 200: ProjectUsage },
});

@Controller()
export class UsageController {
  constructor(@Inject(UsageStore) private readonly usage: UsageStore) {}

  @Route(getOrganizationUsage)
  async ofOrganization(
    @RouteInput() { scope, query }: Input<typeof getOrganizationUsage>,
  ): Promise<Output<typeof getOrganizationUsage>> {
    const period = periodOf(query);
    const projects = await this.usage.byProject(scope, period);
    return { ...textOf(period), total: totalOf(projects), projects };
  }

  @Route(getProjectUsage)
  async ofProject(
    @RouteInput() { scope, query }: Input<typeof getProjectUsage>,
  ): Promise<Output<typeof getProjectUsage>> {
    const period = periodOf(query);
    requireFew(period, query.interval);
    const intervals = await this.usage.byTime(scope, period, query.interval);
    return {
      ...{ ...textOf(period), total: totalOf(intervals) },
      intervals: intervals.map((row) => ({ ...row, from: row.from.toISOString() })),
    };
  }
}

const INTERVAL_MS: Record<Interval, number> = { hour: 3_600_000, day: 86_400_000 };
const HOUR_MS = INTERVAL_MS.hour;
/** Nothing was used before, nor after; PostgreSQL does not take any time that `Date` does. */
const EVER = { from: Date.UTC(2000), to: Date.UTC(3000) };

/** @throws AppError `invalid-request` */
function periodOf(query: z.infer<typeof PeriodQuery>): Period {
  const now = new Date();
  const monthBegan = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  const from = query.from === undefined ? monthBegan : Date.parse(query.from);
  const to = query.to === undefined ? now.getTime() : Date.parse(query.to);
  if (to < from)
    throw invalid('query.to', 'is before `from`, which is the begin of this month when left out');
  return {
    from: sometime(Math.floor(from / HOUR_MS) * HOUR_MS),
    to: sometime(Math.ceil(to / HOUR_MS) * HOUR_MS),
  };
}

function sometime(ms: number): Date {
  return new Date(Math.min(Math.max(ms, EVER.from), EVER.to));
}

/** @throws AppError `invalid-request` */
function requireFew({ from, to }: Period, interval: Interval): void {
  const count = Math.ceil((to.getTime() - from.getTime()) / INTERVAL_MS[interval]);
  if (count <= MOST_INTERVALS) return;
  const message = `would be ${count} of them: ask for at most ${MOST_INTERVALS} at a time`;
  throw invalid('query.interval', message);
}

function totalOf(parts: readonly Amounts[]): Amounts {
  const sum = (name: keyof Amounts) => parts.reduce((sum, part) => sum + part[name], 0);
  return {
    ...{ cpuSeconds: sum('cpuSeconds'), memoryByteSeconds: sum('memoryByteSeconds') },
    ...{ storedByteSeconds: sum('storedByteSeconds'), servedBytes: sum('servedBytes') },
  };
}

function textOf({ from, to }: Period) {
  return { from: from.toISOString(), to: to.toISOString() };
}
