import type { Observation } from '@slipway/contracts';
import type { NodeContext } from './node-context.ts';

/** Tells the API what was seen of a container. */
export async function report(
  engineId: string,
  observation: Observation,
  { api, log, metrics, nodeId }: NodeContext,
): Promise<void> {
  await api.reportContainer({ nodeId, engineId, observation });
  const run = endedRun(observation);
  if (run === null) return;
  metrics.runsEnded.inc({ reason: run.reason });
  log.info({ engineId, state: observation.state, ...run }, 'run ended');
}

function endedRun(observation: Observation) {
  switch (observation.state) {
    case 'exited':
    case 'failed': {
      const { generation, reason, message } = observation;
      const exitCode = observation.state === 'exited' ? observation.exitCode : null;
      return { generation, reason, message, exitCode };
    }
    case 'removed':
      return observation.run === null ? null : { ...observation.run, reason: 'removed' };
    default:
      return null;
  }
}
