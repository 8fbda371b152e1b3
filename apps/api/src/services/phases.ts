import { DEPLOY_PHASES, type DeployPhase, type PhaseName } from './deploy.schema.ts';

/** Those of a deploy that waits. */
export const WAITING: readonly DeployPhase[] = DEPLOY_PHASES.map((name) => {
  return { name, state: 'waiting', startedAt: null, finishedAt: null };
});

/** `name` is under way, and all before it are done. */
export function entered(
  phases: readonly DeployPhase[],
  name: PhaseName,
  now: Date,
): readonly DeployPhase[] {
  const index = DEPLOY_PHASES.indexOf(name);
  return phases.map((phase, at) => {
    if (at < index) return phase.finishedAt === null ? finished(phase, 'succeeded', now) : phase;
    if (at > index || phase.startedAt !== null) return phase;
    return { ...phase, state: 'running', startedAt: now.toISOString() };
  });
}

/** The one under way ended so; when it is `succeeded` it was the last. */
export function ended(
  phases: readonly DeployPhase[],
  state: 'succeeded' | 'failed' | 'cancelled',
  now: Date,
): readonly DeployPhase[] {
  const isUnderWay = ({ finishedAt }: DeployPhase): boolean => finishedAt === null;
  const index = phases.findIndex(isUnderWay);
  return phases.map((phase, at) => (at === index ? finished(phase, state, now) : phase));
}

function finished(phase: DeployPhase, state: DeployPhase['state'], now: Date): DeployPhase {
  const at = now.toISOString();
  return { ...phase, state, startedAt: phase.startedAt ?? at, finishedAt: at };
}
