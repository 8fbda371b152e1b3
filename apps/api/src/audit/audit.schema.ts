import { z } from 'zod';
import { listOf, PageQuery } from '../http/query.ts';
import { OUTCOMES } from './audit.store.ts';

/** The query of `GET …/audit`. */
export const AuditQuery = PageQuery.extend({
  operation: z
    .string()
    .optional()
    .describe('Of this operation only')
    .meta({
      examples: ['createContainer'],
    }),
  outcome: z.enum(OUTCOMES).optional().describe('That ended so only'),
  actor: z.string().optional().describe('Of this person or API key only, by its identifier'),
});

export const AuditRecord = z
  .object({
    id: z.string(),
    time: z.iso.datetime(),
    operation: z
      .string()
      .describe('What was called for: its `operationId` in this document')
      .meta({ examples: ['createContainer'] }),
    outcome: z
      .string()
      .describe(
        '`succeeded`; `unchanged`: it was so already; `refused`, `failed`: see `reason`. Other values may come',
      )
      .meta({ examples: [...OUTCOMES] }),
    reason: z.string().nullable().describe('The problem’s code; null when there was none'),
    actor: z.object({
      type: z.string().meta({ examples: ['user', 'api-key'] }),
      id: z.string(),
      name: z.string().nullable().describe('Their email address, or the key’s name, as it is now'),
    }),
    credential: z
      .string()
      .describe('By which they came: the identifier of a session or of an API key'),
    ip: z.string(),
    userAgent: z.string(),
    requestId: z.string().describe('Finds the call in all logs'),
    project: z.string().nullable().describe('Its identifier; null: of the organization itself'),
    target: z.object({
      type: z.string().meta({ examples: ['container', 'key'] }),
      id: z.string().nullable().describe('null: see the name, which was as the caller gave it'),
      name: z.string().nullable(),
    }),
    details: z
      .record(z.string(), z.string())
      .describe('What else is worth to be known, such as the role that somebody was given'),
    seal: z
      .object({
        position: z.int().describe('1, 2, 3, … in the chain of its organization'),
        hash: z.string().describe('SHA-256, in hex, of all up to it: see docs/audit.md'),
      })
      .nullable()
      .describe('null: not yet, for a second'),
  })
  .meta({ id: 'AuditRecord' });

export const AuditRecordList = listOf(AuditRecord).meta({ id: 'AuditRecordList' });
