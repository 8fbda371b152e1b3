import { AppError } from '@slipway/contracts';

/** What is not there, and what is somebody else's: the one answer to both. @param what e.g. `container "web" in this project` */
export function notFound(what: string): AppError {
  return new AppError('not-found', `There is no ${what}.`);
}
