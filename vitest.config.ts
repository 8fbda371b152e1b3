import { defineConfig } from 'vitest/config';

const limits = {
  ...{ testTimeout: 60_000, hookTimeout: 120_000, teardownTimeout: 60_000 },
  expect: { poll: { timeout: 30_000 } },
};

const onePlatform = {
  ...limits,
  // a first start with its sample, on a slow machine
  ...{ testTimeout: 300_000, hookTimeout: 600_000 },
  globalSetup: ['test/setup/platform.setup.ts'],
  // two cores carry one running stack
  fileParallelism: false,
};

/** Of what a soak leaves to chance: `SEED=<number> npm run test:soak` does the same again. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits,
          name: 'parts',
          maxWorkers: 2,
          include: [
            '{apps,libs}/*/src/**/*.test.ts',
            'infra/**/*.test.ts',
            'test/structure/*.test.ts',
          ],
          globalSetup: ['test/setup/postgres.setup.ts', 'test/setup/redis.setup.ts'],
        },
      },
      { test: { ...onePlatform, name: 'e2e', include: ['test/e2e/*.test.ts'] } },
      {
        test: {
          ...{ ...onePlatform, name: 'soak', include: ['test/soak/*.test.ts'] },
          ...{ testTimeout: 3_600_000, provide: { seed } },
        },
      },
    ],
  },
});
