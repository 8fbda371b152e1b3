import 'reflect-metadata';
import { runUntilSignal } from '@slipway/process';
import { startApi } from './api.ts';
import { readEnv } from './env.ts';

const env = readEnv();
runUntilSignal({ name: 'api', level: env.shared.LOG_LEVEL }, (log) => startApi(env, log));
