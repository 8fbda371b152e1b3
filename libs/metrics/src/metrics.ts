import { collectDefaultMetrics, type Histogram, type LabelValues, Registry } from 'prom-client';

/** All that a process measures: who measures something makes its metric with `registers: [metrics]`. */
export type Metrics = Registry;

/** Where Prometheus asks for it. */
export const METRICS_PATH = '/metrics';

/** Buckets of durations, from what one call takes to what a person waits for. */
export const SECONDS = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300, 1_800],
];

const NEVER_MS = 2 ** 30;

/** With what Node.js says of itself: CPU, memory, descriptors, garbage collections, the event loop. */
export function openMetrics(): Metrics {
  const metrics = new Registry();
  // The event loop's lag is measured when somebody asks for it: to sample it every 10 ms, as is usual,
  // takes 0.6 % of a processor from a process that does nothing.
  collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: NEVER_MS });
  for (const { name } of metrics.getMetricsAsArray()) {
    if (/^nodejs_eventloop_lag_\w+_seconds$/.test(name)) metrics.removeSingleMetric(name);
  }
  return metrics;
}

/** Does `work` and measures how long it takes: its `outcome` is `done`, or `failed` when it throws. */
export async function timed<Label extends string, T>(
  seconds: Histogram<Label | 'outcome'>,
  labels: LabelValues<Label>,
  work: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  let outcome = 'failed';
  try {
    const result = await work();
    outcome = 'done';
    return result;
  } finally {
    const all = { ...labels, outcome } as LabelValues<Label | 'outcome'>;
    seconds.observe(all, (performance.now() - begun) / 1_000);
  }
}
