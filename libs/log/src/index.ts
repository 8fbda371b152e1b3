export {
  type BufferedDestination,
  bufferedDestination,
  createLogger,
  LOG_LEVELS,
  type Logger,
  type LoggerOptions,
  type LogLevel,
} from './logger.ts';
export { Secret } from './secret.ts';
export { currentRequestId, traced } from './trace.ts';
