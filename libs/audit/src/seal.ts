import { createHash } from 'node:crypto';
import type { Prisma } from '@slipway/db';
import canonicalize from 'canonicalize';

export type AuditRow = Prisma.AuditRecordGetPayload<object>;

/** Where a record stands in the chain of its organization, and what stands for all up to it. */
export interface Seal {
  /** 1, 2, 3, … */
  position: number;
  /** SHA-256 in hex */
  hash: string;
}

/** What the first record of a chain follows. */
export const NO_RECORD: Seal = { position: 0, hash: '0'.repeat(64) };

/**
 * The seal of the record behind `previous`: the hash of what docs/audit.md calls its document, as canonical JSON.
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function sealBehind(previous: Seal, row: AuditRow): Seal {
  const position = previous.position + 1;
  const document = canonicalize({ position, previous: previous.hash, ...contentOf(row) });
  if (document === undefined) throw new Error('a record is no JSON');
  return { position, hash: createHash('sha256').update(document).digest('hex') };
}

function contentOf(row: AuditRow): object {
  const { id, time, operation, outcome, reason, userId, credentialId, ip, userAgent } = row;
  const { organizationId, projectId, requestId, targetType, targetId, targetName, details } = row;
  return {
    ...{ id, time: time.toISOString(), operation, outcome, reason },
    ...{ user: userId, credential: credentialId, ip, userAgent, requestId },
    ...{ organization: organizationId, project: projectId },
    ...{ target: { type: targetType, id: targetId, name: targetName }, details },
  };
}
