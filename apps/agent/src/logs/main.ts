import { LOG_CALLS } from '@slipway/contracts';
import { bufferedDestination, createLogger } from '@slipway/log';
import { serveCalls } from '@slipway/rpc';
import { createDoor, listenOn, MalformedCall } from '../door.ts';
import { endsWell } from '../ends-well.ts';
import { readEnv } from '../env.ts';
import { LogKeeper } from './log-keeper.ts';

const env = readEnv();
const destination = bufferedDestination({ flushMs: 200 });
const log = createLogger({ name: 'logs', level: env.LOG_LEVEL, destination });
endsWell(log, destination, async () => {
  const keeper = new LogKeeper({ fifos: env.FIFOS_DIR, logs: env.CONTAINER_LOGS_DIR }, log);
  await keeper.start();
  const door = createDoor(log, () => true);
  serveCalls(door, LOG_CALLS, keeper.handlers(), (message) => new MalformedCall(message));
  await listenOn(door, env.LOG_SOCKET);
  return {
    async close() {
      await door.close();
      await keeper.close();
    },
  };
});
