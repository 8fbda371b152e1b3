import type { Observation } from '@slipway/contracts';
import type { NodeContext } from './node-context.ts';

/** Tells the API what was seen of a container. */
export async function report(
  engineId: string,
  observation: Observation,
  { api, log, metrics, nodeId }: NodeContext,
): Promise<void> {
  await api.reportContainer({ nodeId, engineId, observation });
  const { state } = observation;
  if (state !== 'exited' && state !== 'failed') return;
  const { generation, reason, message } = observation;
  metrics.runsEnded.inc({ reason });
  const exitCode = state === 'exited' ? observation.exitCode : null;
  log.info({ engineId, generation, state, reason, exitCode, message }, 'run ended');
}
