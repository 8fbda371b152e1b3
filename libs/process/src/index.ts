export { parseEnv } from './env.ts';
export { exec } from './exec.ts';
export { Repeater } from './repeater.ts';
export { runUntilSignal } from './run.ts';
