import { bufferedDestination, createLogger } from '@slipway/log';
import { startAgent } from './agent.ts';
import { endsWell } from './ends-well.ts';
import { readEnv } from './env.ts';

const env = readEnv();
const destination = bufferedDestination({ flushMs: 200 });
const log = createLogger({ name: 'agent', level: env.LOG_LEVEL, destination });
endsWell(log, destination, () => startAgent(env, log));
