import { AppError, type FieldError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { RouteContract } from './route.ts';

/** Checks a request against its contract. @throws AppError `invalid-request` naming every bad field */
export function parseInput(
  contract: RouteContract,
  request: FastifyRequest,
): { params: unknown; query: unknown; body: unknown } {
  const errors: FieldError[] = [];
  const parse = (schema: z.ZodType | undefined, value: unknown, where: string): unknown => {
    if (schema === undefined) return undefined;
    const result = schema.safeParse(value ?? {});
    if (result.success) return result.data;
    errors.push(...fieldErrors(result.error, where));
    return undefined;
  };
  const parsed = {
    params: parse(contract.params, request.params, 'path.'),
    query: parse(contract.query, request.query, 'query.'),
    body: parse(contract.body, request.body, ''),
  };
  const [first] = errors;
  if (first === undefined) return parsed;
  const detail = `The request is not valid: ${first.path}: ${first.message}`;
  throw new AppError('invalid-request', detail, { errors });
}

function fieldErrors(error: z.ZodError, where: string): FieldError[] {
  return error.issues.map((issue) => ({
    path: `${where}${issue.path.join('.')}` || 'body',
    message: issue.message,
  }));
}
