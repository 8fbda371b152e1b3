export { ask } from './local/ask.ts';
export { type Instance, instanceOf } from './local/instance.ts';
export { toolsForTests } from './local/packages/for-tests.ts';
export { postgresUrl } from './local/parts/postgres.ts';
export { startThrowawayPostgres, startThrowawayRedis } from './local/parts/throwaway.ts';
export type { Endpoints } from './local/records.ts';
export { waitFor } from './local/wait.ts';
export { clientSchema } from './tools/client-schema.ts';
export { envExample } from './tools/env-example.ts';
