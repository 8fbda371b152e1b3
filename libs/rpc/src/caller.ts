import type { z } from 'zod';
import type { Connection } from './endpoint.ts';

/** A contract's call: zod schemas of what is sent and what comes back. */
export interface Call {
  input: z.ZodType;
  output: z.ZodType;
}
export type Calls = Readonly<Record<string, Call>>;

export type Caller<C extends Calls> = {
  [Name in keyof C]: (
    input: z.input<C[Name]['input']>,
    options?: { signal?: AbortSignal },
  ) => Promise<z.output<C[Name]['output']>>;
};

/** The other process refused the call or failed at it. */
export class CallFailed extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'CallFailed';
    this.status = status;
  }
}

/** The calls of a contract as functions. They throw `CallFailed`, or undici's errors when nobody answers. */
export function callerOf<C extends Calls>(connection: Connection, calls: C): Caller<C> {
  const functions = Object.entries(calls).map(([name, { output }]) => {
    const call = async (input: unknown, { signal }: { signal?: AbortSignal } = {}) => {
      const answer = await connection.request({
        ...{ method: 'POST', path: `/calls/${name}`, body: JSON.stringify(input) },
        headers: { 'content-type': 'application/json' },
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) {
        throw new CallFailed(`${name}: ${text.slice(0, 500)}`, answer.statusCode);
      }
      return output.parse(JSON.parse(text));
    };
    return [name, call];
  });
  return Object.fromEntries(functions) as Caller<C>;
}
