import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { contractOf, type RouteContract } from './route.ts';
import { Streamed } from './streamed.ts';

/** For tests: an answer that is not what its contract (and so the client's types) says fails as a bug. */
@Injectable()
export class ResponseCheck implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const contract = contractOf(context);
    if (contract === undefined) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((value) => {
        check(contract, reply, value);
        return value;
      }),
    );
  }
}

function check(contract: RouteContract, reply: FastifyReply, value: unknown): void {
  const schema = contract.responses[reply.statusCode];
  const where = `${contract.operationId} answered ${reply.statusCode}`;
  if (schema === undefined) throw new Error(`${where}, which its contract does not know`);
  if (schema instanceof Streamed) return;
  if (schema === null) {
    if (value !== undefined) throw new Error(`${where} with a body where its contract has none`);
    return;
  }
  const result = schema.safeParse(JSON.parse(JSON.stringify(value ?? null)));
  if (!result.success) throw new Error(`${where} against its contract: ${result.error.message}`);
}
