import { Controller, Inject } from '@nestjs/common';
import type { AuditRow } from '@slipway/audit';
import { z } from 'zod';
import { pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { AuditQuery, type AuditRecord, AuditRecordList } from './audit.schema.ts';
import { AuditStore } from './audit.store.ts';

const listAuditRecords = defineRoute({
  ...{ method: 'GET', path: '/v1/organizations/:organization/audit', tag: 'Organizations' },
  ...{ operationId: 'listAuditRecords', access: { organization: 'audit:read' } },
  summary: 'Who did what in an organization, or was refused it, the newest first',
  params: z.object({ organization: z.string() }),
  query: AuditQuery,
  responses: { 200: AuditRecordList },
});

@Controller()
export class AuditController {
  constructor(@Inject(AuditStore) private readonly audit: AuditStore) {}

  @Route(listAuditRecords)
  async list(
    @RouteInput() { scope, query }: Input<typeof listAuditRecords>,
  ): Promise<Output<typeof listAuditRecords>> {
    const { limit, cursor, ...filter } = query;
    const page = { limit: limit + 1, before: cursor ?? null };
    const rows = await this.audit.list(scope, filter, page);
    const names = await this.audit.namesOf(scope, rows);
    return pageOf(rows, limit, (row) => resourceOf(row, names));
  }
}

function resourceOf(
  row: AuditRow,
  names: ReadonlyMap<string, string>,
): z.input<typeof AuditRecord> {
  const { id, time, operation, outcome, reason, userId, credentialId } = row;
  const { ip, userAgent, requestId, projectId, targetType, targetId, targetName, position, hash } =
    row;
  const actor = userId ?? credentialId;
  return {
    ...{ id, time: time.toISOString(), operation, outcome, reason },
    actor: {
      ...{ type: userId === null ? 'api-key' : 'user', id: actor, name: names.get(actor) ?? null },
    },
    ...{ credential: credentialId, ip, userAgent, requestId, project: projectId },
    target: { type: targetType, id: targetId, name: targetName },
    details: z.record(z.string(), z.string()).parse(row.details),
    seal: position === null || hash === null ? null : { position, hash },
  };
}
