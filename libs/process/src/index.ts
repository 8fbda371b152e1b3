export { parseEnv } from './env.ts';
export { Repeater } from './repeater.ts';
export { runUntilSignal } from './run.ts';
