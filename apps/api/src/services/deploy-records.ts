import { newId, type Prisma } from '@slipway/db';
import { type DeployState, deployStatesBefore } from '@slipway/lifecycle';
import type { ResolvedImage } from '../images/image-resolver.ts';
import { DeployPhase, type DeployReason } from './deploy.schema.ts';
import { ended, WAITING } from './phases.ts';
import type { ServiceTemplate } from './service.schema.ts';

/** With the service: any number that nothing else in this database locks. */
const LOCK = 7_782;

/** By what somebody asked for, whatever had become of it. */
export interface Interruption {
  state: DeployState;
  reason: DeployReason;
  message: string;
}

type DeployRecord = Prisma.DeployGetPayload<object>;

/**
 * Until the end of the transaction nobody else begins or ends a deploy of the service.
 * @returns those that are not over
 */
export async function lockDeploys(
  tx: Prisma.TransactionClient,
  { id, projectId }: { id: string; projectId: string },
): Promise<DeployRecord[]> {
  // not the service's row: who moves a deploy locks that after the deploy
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK}::int, hashtext(${id}))`;
  await tx.$queryRaw`SELECT d.id FROM "Deploy" d JOIN "Service" s ON s.id = d."serviceId"
    WHERE s.id = ${id} AND s."projectId" = ${projectId} FOR UPDATE OF d`;
  return tx.deploy.findMany({
    where: { service: { id, projectId }, state: { in: [...deployStatesBefore('superseded')] } },
  });
}

export async function endDeploys(
  tx: Prisma.TransactionClient,
  deploys: readonly DeployRecord[],
  how: Interruption,
): Promise<void> {
  const finishedAt = new Date();
  for (const { id, phases } of deploys) {
    const left = ended(DeployPhase.array().parse(phases), 'cancelled', finishedAt);
    await tx.deploy.update({ where: { id }, data: { ...how, phases: [...left], finishedAt } });
  }
}

/** @returns its identifier */
export async function addRevision(
  tx: Prisma.TransactionClient,
  serviceId: string,
  { template, image }: { template: ServiceTemplate; image: ResolvedImage },
): Promise<string> {
  const id = newId('rev');
  const { _max } = await tx.revision.aggregate({ where: { serviceId }, _max: { number: true } });
  const number = (_max.number ?? 0) + 1;
  const { repository, digest: imageDigest } = image;
  await tx.revision.create({ data: { id, serviceId, number, template, repository, imageDigest } });
  return id;
}

/** @returns its identifier */
export async function addDeploy(
  tx: Prisma.TransactionClient,
  deploy: { serviceId: string; revisionId: string; requestId: string },
): Promise<string> {
  const id = newId('dep');
  await tx.deploy.create({ data: { id, ...deploy, phases: [...WAITING] } });
  return id;
}
