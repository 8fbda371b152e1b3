import { runUntilSignal } from '@slipway/process';
import { startAgent } from './agent.ts';
import { readEnv } from './env.ts';

const env = readEnv();
runUntilSignal({ name: 'agent', level: env.LOG_LEVEL }, (log) => startAgent(env, log));
