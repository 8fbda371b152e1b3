export type PartName = 'postgres' | 'redis' | 'containerd' | 'api' | 'logs' | 'agent' | 'edge';

/** One program that the platform keeps running: a process, with its data under the state directory. */
export interface Part {
  name: PartName;
  /** those that must be up before it starts; one that is not among an instance's parts is elsewhere */
  needs: readonly PartName[];
  /** makes what it needs to start, and removes what a killed one left; harmless when all is well */
  prepare(): Promise<void>;
  argv(): readonly string[];
  /** besides what every part gets: `inheritedEnv` and SLIPWAY_HOME */
  env?(): Readonly<Record<string, string>>;
  /** resolves when it answers; throws when it does not (yet) */
  check(): Promise<void>;
  /** when the platform ends: what goes on without this part */
  cleanUp?(): Promise<void>;
  stopSignal: NodeJS.Signals;
  /** after this it is killed */
  stopGraceMs: number;
}
