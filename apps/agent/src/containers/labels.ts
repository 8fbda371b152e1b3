import { constants } from 'node:os';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { Endpoint } from '../network/names.ts';

/* What containerd keeps for us with a container, over restarts of the agent. */

const GENERATION = 'dev.slipway.begun-generation';
const TIME = 'dev.slipway.begun-at';
const ADDRESS = 'dev.slipway.address';
const GATEWAY = 'dev.slipway.gateway';
const NAMES = 'dev.slipway.names';
const STOP_SIGNAL = 'dev.slipway.stop-signal';
const ASKED = 'dev.slipway.asked-to-stop-at';

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

/** To be set before the program begins. */
export function begunLabels(
  { generation, at }: BegunRun,
  { address, gateway, names }: Omit<Endpoint, 'engineId'>,
): Record<string, string> {
  return {
    ...{ [GENERATION]: String(generation), [TIME]: at },
    ...{ [ASKED]: '', [ADDRESS]: address, [GATEWAY]: gateway, [NAMES]: names.join(' ') },
  };
}

/** Of the newest run. */
export function endpointOf({ id, labels }: ContainerRecord): Endpoint | null {
  const { [ADDRESS]: address, [GATEWAY]: gateway, [NAMES]: names } = labels;
  if (address === undefined || gateway === undefined || names === undefined) return null;
  return { engineId: id, address, gateway, names: names.split(' ') };
}

/** When the program of the newest run had its stop signal; null: not yet. */
export function askedAtOf(record: ContainerRecord): Date | null {
  const time = record.labels[ASKED] ?? '';
  return time === '' ? null : new Date(time);
}

export function askedLabel(time: Date): Record<string, string> {
  return { [ASKED]: time.toISOString() };
}

export const NOT_BEGUN = { [GENERATION]: '0' };

/** What asks the program to end. */
export function stopSignalOf({ labels }: ContainerRecord): number {
  return Number(labels[STOP_SIGNAL] ?? constants.signals.SIGTERM);
}

/** @param signal the image's; null: it names none, or what is none */
export function stopSignalLabel(signal: number | null): Record<string, string> {
  return signal === null ? {} : { [STOP_SIGNAL]: String(signal) };
}
