import { Inject, Injectable } from '@nestjs/common';
import { METRICS_PATH, type Metrics } from '@slipway/metrics';
import type { FastifyInstance } from 'fastify';
import { requireOperator } from '../access/access.guard.ts';
import { METRICS } from '../platform.module.ts';
import { OciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';

/** What this process measures, where REST is not served by it as well. */
@Injectable()
export class MetricsEndpoint {
  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
  ) {}

  serveOn(fastify: FastifyInstance): void {
    fastify.get(METRICS_PATH, async (request, reply) => {
      const found = await this.access.callerOf(request.headers.authorization);
      // a token is for images only
      if (found === null || found.grants !== null) {
        throw new OciError('UNAUTHORIZED', 'Send the API key of the operator.');
      }
      requireOperator(found.caller);
      return reply.type(this.metrics.contentType).send(await this.metrics.metrics());
    });
  }
}
