import 'reflect-metadata';
import { bufferedDestination, createLogger } from '@slipway/log';
import { startApi } from './api.ts';
import { readEnv } from './env.ts';

const env = readEnv();
const destination = bufferedDestination({ flushMs: 200 });
const log = createLogger({ name: 'api', level: env.LOG_LEVEL, destination });
// Whatever ends the process, the last lines are written.
process.on('exit', () => destination.flushSync());
const api = await startApi(env, log).catch((error: unknown) => {
  log.fatal({ err: error }, 'the API does not start');
  process.exit(1);
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    api.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  });
}
