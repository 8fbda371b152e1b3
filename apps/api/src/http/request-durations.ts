import { Histogram, type Metrics, SECONDS } from '@slipway/metrics';
import type { FastifyReply, FastifyRequest } from 'fastify';

const LABELS = ['server', 'method', 'route', 'status'] as const;

/** How long requests take, on all servers of a process. */
export class RequestDurations {
  readonly #seconds: Histogram<(typeof LABELS)[number]>;

  constructor(metrics: Metrics) {
    this.#seconds = new Histogram({
      name: 'slipway_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer',
      labelNames: LABELS,
      buckets: SECONDS,
      registers: [metrics],
    });
  }

  /** @param request that is over */
  note(server: string, { method, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const status = String(reply.raw.statusCode);
    // what nothing is at has no route, or each would be a series of its own
    const labels = { server, method, route: routeOptions.url ?? '', status };
    this.#seconds.observe(labels, reply.elapsedTime / 1_000);
  }
}
