import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { Gauge, type Metrics } from '@slipway/metrics';
import { DATABASE, METRICS } from '../platform.module.ts';

/** Each value of `label` with its count, as `of` and `value`. */
const GAUGES = [
  {
    ...{ name: 'slipway_containers', label: 'state' },
    help: 'Containers that are not removed',
    sql: `SELECT state AS of, count(*)::int AS value FROM "Container"
      WHERE state <> 'removed' GROUP BY state`,
  },
  {
    ...{ name: 'slipway_builds', label: 'state' },
    help: 'Builds that are not over',
    sql: `SELECT state AS of, count(*)::int AS value FROM "Build"
      WHERE state IN ('queued', 'running') GROUP BY state`,
  },
  {
    ...{ name: 'slipway_outbox_commands', label: 'queue' },
    help: 'Commands that are not on their queue yet',
    sql: 'SELECT queue AS of, count(*)::int AS value FROM "Outbox" GROUP BY queue',
  },
  {
    ...{ name: 'slipway_node_heartbeat_age_seconds', label: 'node' },
    help: 'How long ago the node said that it lives',
    sql: `SELECT name AS of, extract(epoch FROM now() - "seenAt")::float8 AS value FROM "Node"`,
  },
];

/**
 * What there is at the moment, counted whenever somebody asks for metrics.
 *
 * @unscoped of all tenants together, for the operator
 */
@Injectable()
export class PlatformStateStore {
  constructor(@Inject(DATABASE) database: Database, @Inject(METRICS) metrics: Metrics) {
    for (const { name, label, help, sql } of GAUGES) {
      new Gauge({
        ...{ name, help, labelNames: [label], registers: [metrics] },
        async collect() {
          const { rows } = await database.pool.query<{ of: string; value: number }>(sql);
          this.reset();
          for (const { of, value } of rows) this.set({ [label]: of }, value);
        },
      });
    }
  }
}
