export { type Instance, instanceOf } from './local/instance.ts';
export { startThrowawayPostgres } from './local/parts/throwaway.ts';
export { clientSchema } from './tools/client-schema.ts';
export { envExample } from './tools/env-example.ts';
