import { runUntilSignal } from '@slipway/process';
import { startEdge } from './edge.ts';
import { readEnv } from './env.ts';

const env = readEnv();
runUntilSignal({ name: 'edge', level: env.LOG_LEVEL }, (log) => startEdge(env, log));
