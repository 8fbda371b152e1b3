import type { ContainerOrder, EndReason } from '@slipway/contracts';
import { allOver, signalName, signalOf } from '@slipway/process';
import { wasOutOfMemory } from '../cgroups/out-of-memory.ts';
import type { Task } from '../containerd/tasks.ts';
import type { BegunRun } from './labels.ts';
import { meterEnded } from './metered-run.ts';
import type { NodeContext } from './node-context.ts';
import { placeOf } from './place.ts';
import { report } from './report.ts';

/** A program's output is in its FIFO when it has ended, and in its file soon after. */
export const LOG_WITHIN_MS = 10_000;

/**
 * Tells what a run used and how it ended, and clears what is left of it, in this order: as long as
 * nobody knows, the task stays.
 */
export async function endRun(
  engineId: string,
  run: { task: Task; begun: BegunRun },
  order: ContainerOrder,
  context: NodeContext,
): Promise<void> {
  const { containerd, network, outputs } = context;
  const { task, begun } = run;
  const { generation } = begun;
  await allOver([
    outputs.close(engineId, LOG_WITHIN_MS),
    meterEnded(engineId, begun, task.exitedAt, context),
  ]);
  if (generation > 0) {
    const isAsked = order.desired !== 'running' || order.generation > generation;
    const how = isAsked
      ? askedEnd(order)
      : ownEnd(task.exitCode, wasOutOfMemory(placeOf(engineId, context).cgroup));
    const finishedAt = (task.exitedAt ?? new Date()).toISOString();
    const times = { startedAt: begun.at, finishedAt };
    const { exitCode } = task;
    await report(engineId, { state: 'exited', generation, exitCode, ...how, ...times }, context);
  }
  await allOver([containerd.tasks.delete(engineId), network.detach(engineId)]);
}

interface How {
  reason: EndReason;
  message: string | null;
}

function askedEnd({ desired }: ContainerOrder): How {
  const what = desired === 'running' ? 'restart' : 'stop';
  return { reason: 'stopped', message: `It was asked to ${what}.` };
}

function ownEnd(exitCode: number, isOutOfMemory: boolean): How {
  if (isOutOfMemory && exitCode !== 0) {
    return { reason: 'oom-killed', message: 'It needed more memory than its limit allows.' };
  }
  if (exitCode === 0) return { reason: 'completed', message: null };
  const signal = signalOf(exitCode);
  const message =
    signal === null
      ? `Its program ended with exit code ${exitCode}.`
      : `Its program was ended by ${signalName(signal)}.`;
  return { reason: 'error', message };
}
