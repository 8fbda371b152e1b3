import { AppError } from '@slipway/contracts';
import { isDatabaseAway } from '@slipway/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AWAY, closeIfUnread } from '../http/problem.filter.ts';

/**
 * What registry clients are told, in their own form.
 * @see OCI distribution-spec, "Error Codes"
 */
const STATUSES = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  UNAUTHORIZED: 401,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

export class OciError extends Error {
  readonly code: keyof typeof STATUSES;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(
    code: keyof typeof STATUSES,
    message: string,
    options: {
      status?: number;
      headers?: Record<string, string>;
      detail?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message);
    this.name = 'OciError';
    this.code = code;
    this.status = options.status ?? STATUSES[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail ?? {};
  }
}

/** What was not meant for the client says nothing of itself. */
export function asOciError(thrown: unknown): OciError {
  if (thrown instanceof OciError) return thrown;
  if (thrown instanceof AppError) {
    const code =
      thrown.status >= 500 ? 'UNKNOWN' : thrown.status === 403 ? 'DENIED' : 'UNSUPPORTED';
    const { status, details: detail } = thrown;
    return new OciError(code, thrown.message, { status, detail });
  }
  if (isDatabaseAway(thrown)) return new OciError('UNKNOWN', AWAY, { status: 503 });
  return new OciError('UNKNOWN', 'Something went wrong on our side; it has been logged.');
}

export function sendOciError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, status, headers, detail } = asOciError(thrown);
  closeIfUnread(request, reply);
  reply
    .code(status)
    .headers(headers)
    .type('application/json')
    .send(
      JSON.stringify({ errors: [{ code, message, detail: { requestId: request.id, ...detail } }] }),
    );
}
