import type { ContainerRecord } from '../containerd/containers.ts';

/* What containerd keeps for us with a container, over restarts of the agent. */

const GENERATION = 'dev.slipway.begun-generation';
const TIME = 'dev.slipway.begun-at';
const ADDRESS = 'dev.slipway.address';
const STOP_SIGNAL = 'dev.slipway.stop-signal';

/** The newest run whose program may have begun. */
export interface BegunRun {
  /** 0: none */
  generation: number;
  /** RFC 3339 */
  at: string;
}

export function begunRunOf(record: ContainerRecord | null): BegunRun {
  const labels = record?.labels ?? {};
  return {
    generation: Number(labels[GENERATION] ?? 0),
    at: labels[TIME] ?? new Date(0).toISOString(),
  };
}

/** To be set before the program begins. @param address of this run */
export function begunLabels({ generation, at }: BegunRun, address: string): Record<string, string> {
  return { [GENERATION]: String(generation), [TIME]: at, [ADDRESS]: address };
}

/** Of the newest run. */
export function addressOf({ labels }: ContainerRecord): string | null {
  return labels[ADDRESS] ?? null;
}

export const NOT_BEGUN = { [GENERATION]: '0' };

/** What asks the program to end. */
export function stopSignalOf({ labels }: ContainerRecord): number {
  return Number(labels[STOP_SIGNAL] ?? 15);
}

export function stopSignalLabel(signal: number): Record<string, string> {
  return { [STOP_SIGNAL]: String(signal) };
}
