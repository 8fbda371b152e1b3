import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { MeStore } from './me.store.ts';

const Me = z
  .object({
    isOperator: z.boolean().describe('May manage nodes and what belongs to the platform itself'),
    organizations: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        name: z.string(),
        role: z.string().meta({ examples: ['owner', 'admin', 'developer', 'viewer'] }),
      }),
    ),
    projects: z.array(
      z.object({
        id: z.string(),
        organization: z.string().describe("The organization's slug"),
        slug: z.string(),
        name: z.string(),
      }),
    ),
  })
  .meta({ id: 'Me' });

const getMe = defineRoute({
  method: 'GET',
  path: '/v1/me',
  operationId: 'getMe',
  summary: 'What the API key opens',
  tag: 'Account',
  access: 'key',
  responses: { 200: Me },
});

@Controller()
export class MeController {
  constructor(@Inject(MeStore) private readonly store: MeStore) {}

  @Route(getMe)
  async get(@RouteInput() { caller }: Input<typeof getMe>): Promise<Output<typeof getMe>> {
    const { id, slug, name, projects } = await this.store.organizationOf(caller);
    return {
      isOperator: caller.isOperator,
      organizations: [{ id, slug, name, role: caller.role }],
      projects: projects.map((project) => ({
        id: project.id,
        organization: slug,
        slug: project.slug,
        name: project.name,
      })),
    };
  }
}
