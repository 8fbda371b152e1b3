import { LabelSchema } from '@slipway/contracts';
import { z } from 'zod';
import { environmentFor, ShownEnvironment, type Viewer } from '../access/environment.ts';
import { NewContainer } from '../containers/container.schema.ts';
import { mergePatchOf } from '../http/merge-patch.ts';
import { listOf } from '../http/query.ts';

const health = z
  .strictObject({
    path: z
      .string()
      .max(1024)
      .regex(/^\/[\x21-\x7e]*$/, 'must begin with / and have no spaces')
      .optional()
      .describe(
        'Healthy when GET answers 200 to 399; when left out, when the port takes connections',
      ),
    timeoutMs: z
      .int()
      .min(1_000)
      .max(600_000)
      .default(60_000)
      .describe('A deploy fails when its instance is not healthy so long after its start'),
  })
  .prefault({});

/** What instances of a service are made of. */
export const ServiceTemplate = NewContainer.pick({
  ...{ image: true, command: true, entrypoint: true, env: true, user: true, workingDir: true },
  ...{ memoryBytes: true, cpus: true, pids: true },
}).extend({
  port: z
    .int()
    .min(1)
    .max(65_535)
    .default(8080)
    .describe('Where it listens for HTTP; it is told so in the variable PORT'),
  health,
});
export type ServiceTemplate = z.output<typeof ServiceTemplate>;

/** A template in an answer. */
export const ShownTemplate = ServiceTemplate.extend({ env: ShownEnvironment });

/** @param template as a revision's record has it */
export function templateFor(viewer: Viewer, template: unknown): z.input<typeof ShownTemplate> {
  const { env, ...rest } = ServiceTemplate.parse(template);
  return { ...rest, env: environmentFor(viewer, env) };
}

/** The body of `POST …/services`. */
export const NewService = z.strictObject({
  name: LabelSchema.describe('The beginning of its host name'),
  template: ServiceTemplate,
});
export type NewService = z.output<typeof NewService>;

/** The body of `PATCH …/services/{service}`, a merge patch. */
export const ServicePatch = z.strictObject({ template: mergePatchOf(ServiceTemplate).optional() });
export type ServicePatch = z.output<typeof ServicePatch>;

export const Service = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string().describe('Where it answers, and nothing else ever will'),
    serving: z.boolean().describe('An instance of it is there to answer'),
    servingRevision: z.string().nullable(),
    template: ShownTemplate.describe('Of the revision that was deployed last'),
    latestDeploy: z.object({
      ...{ id: z.string(), state: z.string() },
      ...{ reason: z.string().nullable(), message: z.string().nullable() },
    }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Service' });

export const ServiceList = listOf(Service).meta({ id: 'ServiceList' });
