export { allOver } from './all-over.ts';
export { parseEnv } from './env.ts';
export { exec } from './exec.ts';
export { persistently, Repeater } from './repeater.ts';
export { runUntilSignal } from './run.ts';
export { runScript } from './shell.ts';
export { signalName, signalNumber, signalOf } from './signals.ts';
export { Turns } from './turns.ts';
export { urlOf } from './url.ts';
