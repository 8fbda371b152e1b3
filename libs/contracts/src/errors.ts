/**
 * Every error code of the platform: HTTP status, title, and whether the same request may succeed
 * later unchanged. `docs/errors.md` documents each; a test holds the two together.
 */
export const ERROR_CODES = {
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'A valid API key or session is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  'quota-exceeded': { status: 403, title: 'More than may be had' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'state-conflict': { status: 409, title: 'Not in its present state' },
  'already-exists': { status: 409, title: 'The name is taken' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'invalid-request': { status: 422, title: 'The request is not valid' },
  'too-many-requests': { status: 429, title: 'Too many requests', retryable: true },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Internal error', retryable: true },
  'upstream-failed': { status: 502, title: 'The service gave no valid answer', retryable: true },
  unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true },
  'no-instance': { status: 503, title: 'The service has no instance', retryable: true },
  'upstream-timeout': { status: 504, title: 'The service did not answer in time', retryable: true },
  'storage-full': { status: 507, title: 'No storage space left', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable?: true }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One field's complaint; `path` is dotted (`resources.memoryBytes`). */
export interface FieldError {
  path: string;
  message: string;
}

/**
 * The one error that services throw on purpose. `message` is for the user and says what to do;
 * `cause` is for the log. Each protocol's filter maps `code` to its own shape.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      retryable?: boolean;
      errors?: readonly FieldError[];
      details?: Record<string, unknown>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? 'retryable' in ERROR_CODES[code];
    this.errors = options.errors ?? [];
    this.details = options.details ?? {};
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

/** RFC 9457 problem details. `requestId` finds the request in the log. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  instance?: string;
  requestId?: string;
  errors?: readonly FieldError[];
}

export function toProblem(
  error: AppError,
  context: { instance?: string; requestId?: string } = {},
): Problem {
  return {
    type: 'about:blank',
    title: ERROR_CODES[error.code].title,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...context,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
    ...error.details,
  };
}
