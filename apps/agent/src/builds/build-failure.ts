import type { BuildReason } from '@slipway/contracts';

const MAX_CHARACTERS = 1000;

/** The build cannot succeed as it is. The message is for its owner. */
export class BuildFailure extends Error {
  override name = 'BuildFailure';
  readonly reason: BuildReason;

  constructor(reason: BuildReason, message: string, options?: ErrorOptions) {
    super(message.slice(0, MAX_CHARACTERS), options);
    this.reason = reason;
  }
}
