import { bufferedDestination, createLogger, type Logger, type LogLevel } from '@slipway/log';

/**
 * Runs a process until SIGTERM or SIGINT; a second one, or one before it has started, ends it at once.
 * Whatever ends it, the last lines of its log are written.
 * @param name in each line of its log
 */
export function runUntilSignal(
  { name, level }: { name: string; level: LogLevel },
  start: (log: Logger) => Promise<{ close(): Promise<void> }>,
): void {
  const destination = bufferedDestination({ flushMs: 200 });
  const log = createLogger({ name, level, destination });
  process.on('exit', () => destination.flushSync());
  const fail = (message: string) => (error: unknown) => {
    log.fatal({ err: error }, message);
    process.exit(1);
  };
  let running: { close(): Promise<void> } | null = null;
  start(log).then((started) => {
    running = started;
  }, fail('it does not start'));
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      log.info({ signal }, 'stopping');
      if (running === null) process.exit(0);
      running.close().then(() => process.exit(0), fail('stopping failed'));
    });
  }
}
