import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { occasion } from '../fixtures/occasion.ts';

const PAGE = join(import.meta.dirname, '../../docs/soak.md');

const ABOUT = `# Soak

The last result of \`npm run test:soak\`: what takes too long for every \`npm test\`, again and again or on a
large scale. What is left to chance depends on the seed: \`SEED=<number> npm run test:soak\`.`;

/** Writes `docs/soak.md`, also when something failed. */
export default class PageReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules
      .flatMap(({ children }) => [...children.allTests()])
      .map((test) => {
        const seconds = Math.round((test.diagnostic()?.duration ?? 0) / 1000);
        return `| ${test.name} | ${test.result().state} | ${seconds} s |`;
      });
    const seed = modules[0]?.project.getProvidedContext().seed;
    const table = ['| test | result | took |', '| --- | --- | ---: |', ...rows].join('\n');
    writeFileSync(PAGE, `${[ABOUT, `${occasion()} Seed ${seed}.`, table].join('\n\n')}\n`);
  }
}
