import type { z } from 'zod';
import type { Calls } from './caller.ts';

export type Handlers<C extends Calls> = {
  [Name in keyof C]: (input: z.output<C[Name]['input']>) => Promise<z.input<C[Name]['output']>>;
};

/** Of Fastify what is needed here. */
interface Routes {
  post(path: string, handler: (request: { body: unknown }) => Promise<unknown>): unknown;
}

/** Serves each call of a contract; what is against it is refused by `refuse`. */
export function serveCalls<C extends Calls>(
  routes: Routes,
  calls: C,
  handlers: Handlers<C>,
  refuse: (message: string) => Error,
): void {
  for (const [name, { input }] of Object.entries(calls)) {
    routes.post(`/calls/${name}`, async ({ body }) => {
      const parsed = input.safeParse(body);
      if (!parsed.success) throw refuse(`${name}: ${parsed.error.message}`);
      return handlers[name as keyof C](parsed.data as never);
    });
  }
}
