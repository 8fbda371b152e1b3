import { Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { newId, type Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { FIRST_HOST, LAST_HOST, LAST_INDEX } from './address.ts';

/**
 * Who has which address. A project has a subnet of its own on each node where it has containers, and
 * each of these has a host number in it, from when it is accepted until it is removed. What a node's
 * range is may change from start to start: only its parts are kept here.
 */
@Injectable()
export class AddressStore {
  /** In the transaction that makes the container. @throws AppError when nothing is left */
  async assign(
    tx: Prisma.TransactionClient,
    { projectId }: ProjectScope,
    { id, nodeId }: { id: string; nodeId: string },
  ): Promise<void> {
    const subnetId =
      (await lockSubnet(tx, projectId, nodeId)) ?? (await makeSubnet(tx, projectId, nodeId));
    const taken = await tx.$executeRaw`
      WITH endpoint AS (
        INSERT INTO "Endpoint" ("containerId", "subnetId", host)
        SELECT ${id}, s.id, n FROM "Subnet" s, generate_series(${FIRST_HOST}::int, ${LAST_HOST}::int) n
        WHERE s.id = ${subnetId}
          AND NOT EXISTS (SELECT 1 FROM "Endpoint" e WHERE e."subnetId" = s.id AND e.host = n)
        ORDER BY n <= s."lastHost", n LIMIT 1
        RETURNING host
      )
      UPDATE "Subnet" SET "lastHost" = endpoint.host FROM endpoint WHERE id = ${subnetId}`;
    if (taken === 1) return;
    throw new AppError(
      'state-conflict',
      `The project has ${LAST_HOST - FIRST_HOST + 1} containers on its node, as many as its network there has addresses: remove one.`,
    );
  }

  /**
   * In the transaction that notes that the container is gone.
   *
   * @unscoped only agents note that
   */
  async release(tx: Prisma.TransactionClient, containerId: string): Promise<void> {
    const [subnet] = await tx.$queryRaw<{ id: string }[]>`
      WITH endpoint AS (
        DELETE FROM "Endpoint" WHERE "containerId" = ${containerId} RETURNING "subnetId"
      )
      SELECT id FROM "Subnet" WHERE id IN (SELECT "subnetId" FROM endpoint) FOR UPDATE`;
    if (subnet === undefined) return;
    // With the lock: only a later statement sees an address that was given out meanwhile.
    await tx.$executeRaw`DELETE FROM "Subnet" WHERE id = ${subnet.id}
      AND NOT EXISTS (SELECT 1 FROM "Endpoint" WHERE "subnetId" = ${subnet.id})`;
  }
}

/** Addresses of one subnet are given out one after the other. */
async function lockSubnet(
  tx: Prisma.TransactionClient,
  projectId: string,
  nodeId: string,
): Promise<string | undefined> {
  const [subnet] = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM "Subnet" WHERE "projectId" = ${projectId} AND "nodeId" = ${nodeId} FOR UPDATE`;
  return subnet?.id;
}

async function makeSubnet(
  tx: Prisma.TransactionClient,
  projectId: string,
  nodeId: string,
): Promise<string> {
  // One after the other on a node; somebody may have made it while this waited.
  await tx.$queryRaw`SELECT id FROM "Node" WHERE id = ${nodeId} FOR NO KEY UPDATE`;
  const found = await lockSubnet(tx, projectId, nodeId);
  if (found !== undefined) return found;
  const id = newId('sub');
  const made = await tx.$executeRaw`
    WITH subnet AS (
      INSERT INTO "Subnet" (id, "projectId", "nodeId", index)
      SELECT ${id}, ${projectId}, ${nodeId}, n
      FROM "Node", generate_series(0, ${LAST_INDEX}::int) n
      WHERE "Node".id = ${nodeId}
        AND NOT EXISTS (SELECT 1 FROM "Subnet" WHERE "nodeId" = ${nodeId} AND index = n)
      ORDER BY n <= "lastIndex", n LIMIT 1
      RETURNING index
    )
    UPDATE "Node" SET "lastIndex" = subnet.index FROM subnet WHERE id = ${nodeId}`;
  if (made === 1) return id;
  throw new AppError(
    'unavailable',
    'The node has no network left for one more project; try again later.',
  );
}
