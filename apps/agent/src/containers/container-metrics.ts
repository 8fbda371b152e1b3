import { Counter, Gauge, Histogram, type Metrics, SECONDS } from '@slipway/metrics';
import type { Containerd } from '../containerd/containerd.ts';

/** What this node measures of its containers. */
export class ContainerMetrics {
  /** by `step`; `outcome`: `done`, or `failed` when it is to be tried again */
  readonly stepSeconds: Histogram<'step' | 'outcome'>;
  readonly commandWaitSeconds: Histogram;
  readonly runsEnded: Counter<'reason'>;

  constructor(metrics: Metrics, { tasks }: Containerd) {
    const registers = [metrics];
    this.stepSeconds = new Histogram({
      name: 'slipway_agent_step_duration_seconds',
      help: 'How long the steps take that bring a container where it should be',
      ...{ labelNames: ['step', 'outcome'], buckets: SECONDS, registers },
    });
    this.commandWaitSeconds = new Histogram({
      name: 'slipway_agent_command_wait_seconds',
      help: 'How long commands were on the queue of the node before it took them',
      ...{ buckets: SECONDS, registers },
    });
    this.runsEnded = new Counter({
      name: 'slipway_agent_runs_ended_total',
      help: 'Runs of containers that have ended, or could not begin',
      ...{ labelNames: ['reason'], registers },
    });
    new Gauge({
      name: 'slipway_agent_tasks',
      help: 'What containerd runs at the moment',
      ...{ labelNames: ['status'], registers },
      async collect() {
        const all = [...(await tasks.list()).values()];
        this.reset();
        for (const [status, some] of Map.groupBy(all, (task) => task.status.toLowerCase())) {
          this.set({ status }, some.length);
        }
      },
    });
  }
}
