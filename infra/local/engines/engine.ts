/** A program of somebody else's that the platform keeps running for itself: one process, with its data under the state directory. */
export interface Engine {
  name: 'postgres';
  /** makes what it needs to start; harmless when it is there */
  prepare(): Promise<void>;
  argv(): readonly string[];
  /** resolves when it answers; throws when it does not (yet) */
  check(): Promise<void>;
  stopSignal: NodeJS.Signals;
  stopGraceMs: number;
}
