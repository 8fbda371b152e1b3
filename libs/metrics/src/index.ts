export { Counter, Gauge, Histogram } from 'prom-client';
export { METRICS_PATH, type Metrics, openMetrics, SECONDS, timed } from './metrics.ts';
