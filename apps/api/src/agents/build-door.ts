import { Inject, Injectable } from '@nestjs/common';
import { AppError, BUILD_CALLS, type BuildOrder } from '@slipway/contracts';
import { serveCalls } from '@slipway/rpc';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LIBRARY } from '../access/scope.store.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { rawAnswer } from '../http/raw-answer.ts';
import { BLOB_STORE } from '../platform.module.ts';
import { type Grant, RegistryTokens } from '../registry/registry-token.ts';
import { SealedValues } from '../secrets/sealed-values.ts';
import { BuildOrderStore } from './build-order.store.ts';

const BUILD_TIMEOUT_MS = 30 * 60_000;

const AttemptSchema = z.object({
  nodeId: z.string(),
  buildId: z.string(),
  attempt: z.coerce.number(),
});

const TextsSchema = z.record(z.string(), z.string());

/** Answers agents that build images. */
@Injectable()
export class BuildDoor {
  constructor(
    @Inject(BuildOrderStore) private readonly orders: BuildOrderStore,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
    @Inject(RegistryTokens) private readonly tokens: RegistryTokens,
    @Inject(SealedValues) private readonly sealedValues: SealedValues,
  ) {}

  serveOn(fastify: FastifyInstance, refuse: (message: string) => Error): void {
    fastify.get('/builds/:buildId/context', (request, reply) => this.#sendContext(request, reply));
    serveCalls(
      fastify,
      BUILD_CALLS,
      {
        releaseBuilds: async ({ nodeId }) => {
          await this.orders.release(nodeId);
          return {};
        },
        takeBuild: async ({ nodeId }) => ({ order: await this.#take(nodeId) }),
        reportBuild: async ({ steps = null, outputFrom, output, ...attempt }) => ({
          goesOn: await this.orders.report(attempt, { steps, outputFrom, output }),
        }),
        grantPush: async (attempt) => ({ token: await this.#grantPush(attempt) }),
        endBuild: async ({ end, ...attempt }) => {
          await this.orders.end(attempt, end);
          return {};
        },
      },
      refuse,
    );
  }

  async #take(nodeId: string): Promise<BuildOrder | null> {
    const row = await this.orders.take(nodeId);
    if (row === null) return null;
    const { id, requestId, attempt, projectId, repository, image, tag } = row;
    const place = repository.slice(0, -image.length - 1);
    const grants = toPull(repository);
    return {
      ...{ id, requestId, attempt, projectId, place, repository, tag },
      ...{ dockerfile: row.dockerfile, target: row.target },
      ...{ args: TextsSchema.parse(row.args), labels: TextsSchema.parse(row.labels) },
      noCache: row.noCache,
      secrets:
        row.sealedSecrets === null ? {} : await this.sealedValues.open(id, row.sealedSecrets),
      token: await this.tokens.issueForNode(row.organizationId, grants, 2 * BUILD_TIMEOUT_MS),
      timeoutMs: BUILD_TIMEOUT_MS,
    };
  }

  async #grantPush(attempt: z.infer<typeof AttemptSchema>): Promise<string | null> {
    const row = await this.orders.find(attempt);
    if (row === null) return null;
    const { organizationId, repository } = row;
    const grants: Grant[] = [
      ...toPull(repository),
      { name: repository, actions: ['pull', 'push'] },
    ];
    return this.tokens.issueForNode(organizationId, grants, BUILD_TIMEOUT_MS);
  }

  async #sendContext(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const attempt = AttemptSchema.parse({
      ...(request.params as object),
      ...(request.query as object),
    });
    const row = await this.orders.find(attempt);
    if (row === null) throw new AppError('not-found', 'This build is somebody else’s by now.');
    reply.type('application/octet-stream');
    await this.blobs.send(row.context.digest, () => rawAnswer(reply));
    return reply;
  }
}

/** As for its containers: all of the organization's images, and the base images. */
function toPull(repository: string): Grant[] {
  const [organization = ''] = repository.split('/');
  return [organization, LIBRARY].map((place) => ({ name: `${place}/*`, actions: ['pull'] }));
}
