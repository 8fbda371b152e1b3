import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callOf, scopeOf } from '../access/caller.ts';
import { LOGGER } from '../platform.module.ts';
import { AuditStore, type Outcome } from './audit.store.ts';

/** Sees to it that each call for a change is recorded before it is answered, also one that changed nothing. */
@Injectable()
export class AuditTrail {
  constructor(
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onSend', async (request, reply) => {
      await this.#conclude(request, reply).catch((err) =>
        this.log.error({ err }, 'a call that changed nothing is not recorded'),
      );
    });
  }

  async #conclude(request: FastifyRequest, { statusCode }: FastifyReply): Promise<void> {
    const [call, scope] = [callOf(request), scopeOf(request)];
    if (call === null || scope === null || !call.isChange) return;
    if (call.isRecorded && statusCode < 400) return;
    const { type = 'organization', name = null } = call.named ?? {};
    await this.audit.recordUnchanged(
      scope,
      { type, id: null, name },
      { outcome: outcomeOf(statusCode), reason: call.problem },
    );
  }
}

function outcomeOf(statusCode: number): Outcome {
  if (statusCode >= 500) return 'failed';
  return statusCode >= 400 ? 'refused' : 'unchanged';
}
