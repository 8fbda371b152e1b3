import { z } from 'zod';

/** Yes or no in a URL's query, no when it is left out. A boolean for clients. */
export function flag(description: string) {
  const override = { type: 'boolean' } as const; // of the OpenAPI document's schema
  return z.stringbool().default(false).meta({ description, override });
}
