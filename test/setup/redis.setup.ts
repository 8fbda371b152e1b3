import { startThrowawayRedis } from '@slipway/infra';
import type { TestProject } from 'vitest/node';

/** One real Redis for the whole run; who uses it has queues of names that nobody else has. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startThrowawayRedis();
  project.provide('redisUrl', redis.url);
  return () => Promise.resolve(redis[Symbol.asyncDispose]());
}
