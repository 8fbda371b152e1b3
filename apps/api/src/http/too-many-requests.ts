import { AppError } from '@slipway/contracts';

/** Refused until some time has passed. */
export class TooManyRequests extends AppError {
  readonly afterSeconds: number;

  constructor(message: string, afterMs: number) {
    const afterSeconds = Math.max(1, Math.ceil(afterMs / 1000));
    super('too-many-requests', `${message} Try again in ${inWords(afterSeconds)}.`);
    this.afterSeconds = afterSeconds;
  }
}

function inWords(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}
