import type { TestProject } from 'vitest/node';
import { Checkout } from '../fixtures/checkout.ts';

/** One running platform for all end-to-end tests but those that start and stop one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const checkout = await Checkout.create();
  const started = await checkout.npm('start', '--', '--detach');
  if (started.code !== 0) {
    await checkout[Symbol.asyncDispose]();
    throw new Error(`npm start ended with ${started.code}:\n${started.output}`);
  }
  project.provide('platform', await checkout.endpoints());
  project.provide('checkoutFolder', checkout.folder);
  return () => checkout[Symbol.asyncDispose]();
}
