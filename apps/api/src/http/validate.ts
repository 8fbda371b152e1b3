import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { AppError, type FieldError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { RouteContract } from './route.ts';

/** What a request is checked for and made into. */
interface Parsed {
  params: unknown;
  query: unknown;
  body: unknown;
  upload: IncomingMessage | null;
}

/**
 * Checks a request against its contract.
 * @throws AppError `invalid-request` naming every bad field, `unsupported-media-type`
 */
export function parseInput(contract: RouteContract, request: FastifyRequest): Parsed {
  const errors: FieldError[] = [];
  const parse = (schema: z.ZodType | undefined, value: unknown, where: string): unknown => {
    if (schema === undefined) return undefined;
    const result = schema.safeParse(value ?? {});
    if (result.success) {
      errors.push(...textErrors(result.data, where));
      return result.data;
    }
    errors.push(...fieldErrors(result.error, where));
    return undefined;
  };
  const upload = uploadOf(contract, request);
  const parsed = {
    params: parse(contract.params, request.params, 'path.'),
    query: parse(contract.query, request.query, 'query.'),
    body: upload === null ? parse(contract.body, request.body, '') : undefined,
  };
  const [first] = errors;
  if (first === undefined) return { ...parsed, upload };
  throw invalidRequest(first, errors);
}

/**
 * For what a handler makes of a request.
 * @param where the path before its own, with a dot at its end
 * @throws AppError `invalid-request`
 */
export function parsed<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = fieldErrors(result.error, where);
  throw invalidRequest(errors[0] ?? { path: where, message: 'is not valid' }, errors);
}

/** For what only a handler can tell. @param path e.g. `image`, `query.tag` */
export function invalid(path: string, message: string): AppError {
  return invalidRequest({ path, message });
}

function invalidRequest(first: FieldError, errors: readonly FieldError[] = [first]): AppError {
  const detail = `The request is not valid: ${first.path}: ${first.message}`;
  return new AppError('invalid-request', detail, { errors });
}

/** The body when it is of a type that the handler reads by itself; null when it is JSON or there is none. */
function uploadOf(
  contract: RouteContract,
  { headers, raw }: FastifyRequest,
): IncomingMessage | null {
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (contract.upload?.includes(mediaType)) return raw;
  const isJson = /^application\/(json|[\w.-]+\+json)$/.test(mediaType);
  if (contract.body !== undefined && (isJson || !hasBody(headers))) return null;
  if (contract.body === undefined && contract.upload === undefined) return null;
  const types = [
    ...(contract.body === undefined ? [] : ['application/json']),
    ...(contract.upload ?? []),
  ];
  throw new AppError('unsupported-media-type', `Send the body as ${types.join(' or ')}.`);
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Text that neither PostgreSQL nor a program's environment takes; a schema bounds how deep it lies. */
function* textErrors(value: unknown, path: string): Generator<FieldError> {
  if (typeof value === 'string' && /\0|\p{Surrogate}/u.test(value)) {
    yield { path, message: 'may have neither NUL characters nor halves of surrogate pairs' };
  }
  if (typeof value !== 'object' || value === null) return;
  const prefix = path === '' || path.endsWith('.') ? path : `${path}.`;
  for (const [key, item] of Object.entries(value)) {
    yield* textErrors(key, path || 'body');
    yield* textErrors(item, `${prefix}${key}`);
  }
}

function fieldErrors(error: z.ZodError, where: string): FieldError[] {
  return error.issues.map((issue) => ({
    path: `${where}${issue.path.join('.')}` || 'body',
    message: issue.message,
  }));
}
