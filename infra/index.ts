export { startThrowawayPostgres } from './local/engines/throwaway.ts';
export { clientSchema } from './tools/client-schema.ts';
export { envExample } from './tools/env-example.ts';
