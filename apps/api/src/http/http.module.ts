import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AccessGuard } from '../access/access.guard.ts';
import { AccessModule } from '../access/access.module.ts';
import { SessionModule } from '../access/session.module.ts';
import { ProblemFilter } from './problem.filter.ts';
import { ResponseCheck } from './response-check.ts';

@Module({})
class HttpModule {}

/** What surrounds every route. @param checksAnswers each answer is held against its contract */
export function httpModule({ checksAnswers }: { checksAnswers: boolean }): DynamicModule {
  const check = { provide: APP_INTERCEPTOR, useClass: ResponseCheck };
  return {
    module: HttpModule,
    imports: [AccessModule, SessionModule],
    providers: [
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_GUARD, useClass: AccessGuard },
      ...(checksAnswers ? [check] : []),
    ],
  };
}
