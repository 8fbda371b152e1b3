import { ERROR_CODES } from '@slipway/contracts';
import { z } from 'zod';

/** What `toProblem` makes. @see https://www.rfc-editor.org/rfc/rfc9457 */
export const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ examples: Object.keys(ERROR_CODES) }),
    detail: z.string(),
    instance: z.string().optional(),
    requestId: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
