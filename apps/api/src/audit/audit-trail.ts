import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../access/call.ts';
import { type Caller, callOf, scopeOf } from '../access/caller.ts';
import { LOGGER } from '../platform.module.ts';
import { AuditStore, type Outcome, type Place } from './audit.store.ts';

/** Sees to it that each call for a change is recorded before it is answered, also one that changed nothing. */
@Injectable()
export class AuditTrail {
  constructor(
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @param outcomes which of them are worth a record */
  watch(fastify: FastifyInstance, outcomes: readonly Outcome[]): void {
    fastify.addHook('onSend', async (request, reply) => {
      await this.#conclude(request, reply, outcomes).catch((err) =>
        this.log.error({ err }, 'a call that changed nothing is not recorded'),
      );
    });
  }

  async #conclude(
    request: FastifyRequest,
    { statusCode }: FastifyReply,
    outcomes: readonly Outcome[],
  ): Promise<void> {
    const call = callOf(request);
    // 401: a client of the registry gets itself a token then, and comes again
    if (!call?.operation.isChange || statusCode === 401) return;
    const outcome = outcomeOf(statusCode);
    if (!outcomes.includes(outcome) || (outcome === 'unchanged' && call.isRecorded)) return;
    const { type, name } = call.operation.target ?? { type: 'user', name: null };
    const target = { type, id: null, name };
    for (const place of placesOf(request, call)) {
      await this.audit.recordUnchanged(place, target, { outcome, reason: call.problem });
    }
  }
}

/** Where it is to be recorded: a call about one's account wherever one is. */
function placesOf(request: FastifyRequest, call: Call<Caller | null>): Place[] {
  const { caller, operation } = call;
  if (caller === null) return [];
  const mine = caller.memberships.map(({ organizationId }) => organizationId);
  const scope = scopeOf(request);
  if (scope !== null) return mine.includes(scope.organizationId) ? [scope] : [];
  const places = operation.isOfAccount ? mine : [];
  return places.map((organizationId) => {
    return { organizationId, projectId: null, call: call.by(caller) };
  });
}

function outcomeOf(statusCode: number): Outcome {
  if (statusCode >= 500) return 'failed';
  return statusCode >= 400 ? 'refused' : 'unchanged';
}
