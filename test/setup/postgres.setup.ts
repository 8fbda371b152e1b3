import { migrate } from '@slipway/db/migrate';
import { startThrowawayPostgres } from '@slipway/infra';
import type { TestProject } from 'vitest/node';

/** One real PostgreSQL for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startThrowawayPostgres();
  const end = (): Promise<void> => Promise.resolve(postgres[Symbol.asyncDispose]());
  try {
    await migrate(postgres.url);
  } catch (error) {
    await end();
    throw error;
  }
  project.provide('postgresUrl', postgres.url);
  return end;
}
