import type { BufferedDestination, Logger } from '@slipway/log';

/** Runs a process until a signal: its last lines are written however it ends. */
export function endsWell(
  log: Logger,
  destination: BufferedDestination,
  start: () => Promise<{ close(): Promise<void> }>,
): void {
  process.on('exit', () => destination.flushSync());
  const starting = start();
  starting.catch((error: unknown) => {
    log.fatal({ err: error }, 'it does not start');
    process.exit(1);
  });
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      log.info({ signal }, 'stopping');
      starting
        .then((running) => running.close())
        .then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, 'stopping failed');
            process.exit(1);
          },
        );
    });
  }
}
