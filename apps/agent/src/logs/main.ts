import { LOG_CALLS } from '@slipway/contracts';
import { runUntilSignal } from '@slipway/process';
import { serveCalls } from '@slipway/rpc';
import { createDoor, listenOn, refuse } from '../door.ts';
import { readEnv } from '../env.ts';
import { LogKeeper } from './log-keeper.ts';

const env = readEnv();
runUntilSignal({ name: 'logs', level: env.LOG_LEVEL }, async (log) => {
  const keeper = new LogKeeper({ fifos: env.FIFOS_DIR, logs: env.CONTAINER_LOGS_DIR }, log);
  await keeper.start();
  const door = createDoor(log, () => true);
  serveCalls(door, LOG_CALLS, keeper.handlers(), refuse);
  await listenOn(door, env.LOG_SOCKET);
  return {
    async close() {
      await door.close();
      await keeper.close();
    },
  };
});
