import type { ContainerState } from '@slipway/lifecycle';
import type { ContainerRow } from './container.store.ts';

/** As people see it: between two runs that its restart policy begins one after the other, a container is restarting. */
export function stateOf({ state, restartAt }: ContainerRow): ContainerState {
  return restartAt === null ? (state as ContainerState) : 'restarting';
}
