import { join } from 'node:path';
import { readEnv } from '../env.ts';
import { instanceOf } from '../instance.ts';
import { printProgress } from '../progress.ts';
import { providePackages, type Toolbox } from './index.ts';
import type { ToolName } from './tools.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');

/** What a test or a tool runs of Debian's, installed when it is missing. */
export function toolsForTests(names: readonly ToolName[]): Promise<Toolbox> {
  const progress = printProgress({ line: console.error, begun() {} });
  return providePackages(instanceOf(CHECKOUT), readEnv(), progress, names);
}
