import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { defineRoute, type Output, Route } from '../http/route.ts';
import { publishedDocument } from './published.ts';

const getOpenApi = defineRoute({
  method: 'GET',
  path: '/v1/openapi.json',
  operationId: 'getOpenApi',
  summary: 'This document',
  tag: 'Platform',
  access: 'public',
  responses: { 200: z.looseObject({ openapi: z.string() }) },
});

@Controller()
export class OpenApiController {
  @Route(getOpenApi)
  get(): Output<typeof getOpenApi> {
    return { ...publishedDocument() };
  }
}
