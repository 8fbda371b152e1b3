import type { EndReason } from '@slipway/contracts';
import { RegistryError } from '@slipway/oci';
import { detailsOf } from '../containerd/rpc.ts';
import { UnusableImage } from '../images/platform-image.ts';
import { NothingToRun } from './runtime-spec.ts';
import { UnknownUser } from './user.ts';

/** A run that cannot begin, however often it is tried. */
export class CannotRun extends Error {
  readonly reason: EndReason;

  constructor(reason: EndReason, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'CannotRun';
    this.reason = reason;
  }
}

/** Of what was thrown on the way to a start: what lies with the image or the settings, or null when it may pass. */
export function cannotRun(error: unknown): CannotRun | null {
  if (error instanceof CannotRun) return error;
  const because = (reason: EndReason, { message }: Error) =>
    new CannotRun(reason, message, { cause: error });
  if (error instanceof UnusableImage) return because('image-unusable', error);
  if (error instanceof NothingToRun) return because('command-missing', error);
  if (error instanceof UnknownUser) return because('user-not-found', error);
  if (error instanceof RegistryError && error.status === 404) {
    return because('image-not-found', error);
  }
  return null;
}

/** What the runtime said of a program that it could not start. */
export function startFailure(error: unknown): CannotRun {
  const said = detailsOf(error).replace(/: unknown$/, '');
  const exec = /exec: .*/.exec(said)?.[0];
  const known = KNOWN.find(([, , pattern]) => exec !== undefined && pattern.test(exec));
  const [reason, what] = known ?? UNKNOWN;
  return new CannotRun(reason, `${what}: ${exec ?? withoutOurs(said)}`, { cause: error });
}

/** The runtime's own words, without the paths of this node. */
function withoutOurs(said: string): string {
  const [words = ''] = said.split('create failed: ').slice(-1);
  return words.replace(/\/[^\s"':]*slipway[^\s"':]*/g, '…').slice(0, 500);
}

const KNOWN: readonly [EndReason, string, RegExp][] = [
  [
    'command-not-found',
    'The image has no such program',
    /executable file not found|no such file or directory/,
  ],
  [
    'command-not-executable',
    'The program cannot be executed',
    /permission denied|exec format error|is a directory/,
  ],
];
const UNKNOWN = ['start-failed', 'The runtime could not start the program'] as const;
