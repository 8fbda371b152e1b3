import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { type DeployState, isDeployOver } from '@slipway/lifecycle';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore } from '../audit/audit.store.ts';
import { invalid } from '../http/validate.ts';
import type { ResolvedImage } from '../images/image-resolver.ts';
import { DATABASE } from '../platform.module.ts';
import {
  addDeploy,
  addRevision,
  endDeploys,
  type Interruption,
  lockDeploys,
} from './deploy-records.ts';
import { ServiceTemplate } from './service.schema.ts';
import { targetOf } from './service.store.ts';

/** What the tenant wants, without the image when that is to stay. */
export interface ChangedTemplate {
  template: ServiceTemplate;
  image?: ResolvedImage;
}

type NewestDeploy = Prisma.DeployGetPayload<{ include: { revision: true } }>;

const SUPERSEDED: Interruption = {
  state: 'superseded',
  reason: 'superseded',
  message: 'A newer deploy took its place.',
};
const ROLLED_BACK: Interruption = {
  state: 'rolled-back',
  reason: 'rolled-back',
  message: 'The service was rolled back to another revision.',
};

/**
 * Deploys a revision of a service, in place of a deploy that is not over. They answer false when there
 * is nothing to do, as when that revision serves, or is about to. Null: the service is deleted.
 */
@Injectable()
export class RedeployStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /** @param change what the newest deploy's revision becomes */
  change(
    scope: ProjectScope,
    serviceId: string,
    change: (current: ServiceTemplate) => ChangedTemplate,
    { requestId }: { requestId: string },
  ): Promise<boolean | null> {
    return this.#deploy(scope, { serviceId, requestId, how: SUPERSEDED }, async (tx, newest) => {
      const { revision } = newest;
      const current = ServiceTemplate.parse(revision.template);
      const { imageDigest: digest, repository } = revision;
      const { template, image = { digest, repository } } = change(current);
      const isSame = isDeepStrictEqual(template, current) && image.digest === digest;
      return isSame
        ? unlessGood(newest, revision.id)
        : addRevision(tx, serviceId, { template, image });
    });
  }

  /**
   * @param to a revision; null: the last that served before the newest deploy's
   * @throws AppError `invalid-request`, `state-conflict`
   */
  rollBack(
    scope: ProjectScope,
    serviceId: string,
    to: string | null,
    { requestId }: { requestId: string },
  ): Promise<boolean | null> {
    return this.#deploy(scope, { serviceId, requestId, how: ROLLED_BACK }, async (tx, newest) => {
      if (to !== null) {
        const named = await tx.revision.findFirst({ where: { id: to, serviceId } });
        if (named !== null) return unlessGood(newest, named.id);
        throw invalid('revision', 'must be the identifier of a revision of this service');
      }
      const earlier = await tx.deploy.findFirst({
        where: { serviceId, state: 'succeeded', revisionId: { not: newest.revisionId } },
        orderBy: { id: 'desc' },
      });
      if (earlier !== null) return earlier.revisionId;
      throw new AppError('state-conflict', 'No other revision of the service has served yet.');
    });
  }

  /** What serves, once more: a deploy that is not over has new instances as it is. */
  restart(
    scope: ProjectScope,
    serviceId: string,
    { requestId }: { requestId: string },
  ): Promise<boolean | null> {
    return this.#deploy(
      scope,
      { serviceId, requestId, how: SUPERSEDED },
      async (tx, { state, revisionId }) => {
        if (!isDeployOver(state as DeployState)) return null;
        const serving = await tx.deploy.findFirst({ where: { serving: { id: serviceId } } });
        return serving?.revisionId ?? revisionId;
      },
    );
  }

  /** @param choose which revision, in view of the newest deploy; null: none */
  async #deploy(
    scope: ProjectScope,
    { serviceId, requestId, how }: { serviceId: string; requestId: string; how: Interruption },
    choose: (tx: Prisma.TransactionClient, newest: NewestDeploy) => Promise<string | null>,
  ): Promise<boolean | null> {
    const where = { id: serviceId, projectId: scope.projectId, deletedAt: null };
    return this.database.transaction(async (tx) => {
      const unfinished = await lockDeploys(tx, where);
      const service = await tx.service.findFirst({ where });
      if (service === null) return null;
      const newest = await tx.deploy.findFirstOrThrow({
        where: { serviceId },
        orderBy: { id: 'desc' },
        include: { revision: true },
      });
      const revisionId = await choose(tx, newest);
      if (revisionId === null) return false;
      await endDeploys(tx, unfinished, how);
      const deploy = await addDeploy(tx, { serviceId, revisionId, requestId });
      await tx.$executeRaw`SELECT pg_notify('services', ${serviceId})`;
      await this.audit.record(tx, scope, targetOf(service), { deploy, revision: revisionId });
      return true;
    });
  }
}

/** @returns the revision; null when it serves, or is about to, by the newest deploy */
function unlessGood(newest: NewestDeploy, revisionId: string): string | null {
  const isGood = newest.state === 'succeeded' || !isDeployOver(newest.state as DeployState);
  return isGood && revisionId === newest.revisionId ? null : revisionId;
}
