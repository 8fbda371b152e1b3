import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { currentRequestId } from './trace.ts';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** the process: `api`, `agent`, `edge`; in each line as `name` */
  name: string;
  level?: LogLevel;
  /** where lines go; standard output, written at once, when left out */
  destination?: DestinationStream;
}

/**
 * JSON lines with ISO times; `err` and `error` fields are serialized with their causes, and `requestId`
 * is that of the request that is worked for (`traced`), unless the line has its own.
 */
export function createLogger({ name, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    timestamp: stdTimeFunctions.isoTime,
    mixin: forWhom,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.errWithCause, error: serializeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function forWhom(): { requestId?: string } {
  const requestId = currentRequestId();
  return requestId === null ? {} : { requestId };
}

export interface BufferedDestination extends DestinationStream {
  flushSync(): void;
}

/**
 * Standard output (or a file descriptor) behind a buffer, for lines too many to be a write each:
 * flushed when `bufferBytes` (less than the 16 KiB of one write) are full, and `flushMs` after a line.
 * Call `flushSync` before the exit.
 */
export function bufferedDestination({
  fd = 1,
  bufferBytes = 8 * 1024,
  flushMs = 1000,
}: {
  fd?: number | string;
  bufferBytes?: number;
  flushMs?: number;
} = {}): BufferedDestination {
  // Not its `minLength`: a flush of that does nothing while something is being written.
  const file = pino.destination({ dest: fd, sync: false });
  let lines = '';
  let isDue = false;
  const flush = () => {
    if (lines !== '') file.write(lines);
    lines = '';
  };
  return {
    write(line) {
      lines += line;
      if (lines.length >= bufferBytes) flush();
      if (isDue || lines === '') return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        flush();
      }, flushMs).unref();
    },
    flushSync() {
      flush();
      file.flushSync();
    },
  };
}

function serializeError(value: unknown): unknown {
  return value instanceof Error ? pino.stdSerializers.errWithCause(value) : value;
}
