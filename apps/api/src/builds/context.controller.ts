import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { CONTEXT_TYPES, Context } from './build.schema.ts';
import { ContextService } from './context.service.ts';

const createContext = defineRoute({
  ...{ method: 'POST', path: '/v1/organizations/:organization/projects/:project/contexts' },
  ...{ operationId: 'createContext', tag: 'Builds', access: { project: 'builds:write' } },
  summary: 'Upload the files that an image is built of',
  description: 'The body is a tar, maybe compressed by gzip or zstd, of 1 GiB at most.',
  params: z.object({ organization: z.string(), project: z.string() }),
  upload: CONTEXT_TYPES,
  responses: { 201: Context },
});

@Controller()
export class ContextController {
  constructor(@Inject(ContextService) private readonly contexts: ContextService) {}

  @Route(createContext)
  async create(
    @RouteInput() { scope, upload }: Input<typeof createContext>,
  ): Promise<Output<typeof createContext>> {
    const { id, sizeBytes, createdAt } = await this.contexts.receive(scope, upload);
    return { id, sizeBytes: Number(sizeBytes), createdAt: createdAt.toISOString() };
  }
}
