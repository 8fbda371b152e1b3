import { z } from 'zod';

/** Where requests to a host name go. */
export const RouteSchema = z.strictObject({
  /** in lower case, without a port: `hello-k3x9qa.localhost` */
  host: z.string(),
  /** identifiers, for logs; the revision that serves, if one does */
  serviceId: z.string(),
  revisionId: z.string().nullable(),
  /** those that are ready; none while they start */
  instances: z.array(
    z.strictObject({
      /** where the agent of its node answers: `unix:<path>` */
      node: z.string(),
      engineId: z.string(),
      /** `ctr_…`, for logs */
      containerId: z.string(),
      port: z.int(),
    }),
  ),
});
export type Route = z.infer<typeof RouteSchema>;
export type Instance = Route['instances'][number];

/** One host's news. */
export const RouteChangeSchema = z.strictObject({
  /** counts all changes of all routes */
  version: z.int(),
  host: z.string(),
  /** null: the host leads nowhere any more */
  route: RouteSchema.nullable(),
});
export type RouteChange = z.infer<typeof RouteChangeSchema>;

/** What an edge that lives tells of itself. */
export const EdgeReportSchema = z.strictObject({
  /** it has every change up to this one */
  version: z.int(),
  /** engine ids: requests are under way to these, and its routes no longer lead there */
  leaving: z.array(z.string()),
});
export type EdgeReport = z.infer<typeof EdgeReportSchema>;
