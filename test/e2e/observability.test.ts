import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { containersIn } from '../fixtures/containers.ts';
import { freshImage } from '../fixtures/fresh-image.ts';
import { logLines } from '../fixtures/log-lines.ts';
import { otherProject, platform, stateDir } from '../fixtures/platform.ts';

/* What an operator sees of the platform: what one request led to, and what it measures. */

const WITHIN = { timeout: 60_000 };
const { ended, remove } = containersIn(platform());

test('one id leads from a request to all that it led to, until the run has ended', async () => {
  const { api, token, organization, project } = platform();
  await freshImage(platform(), 'traced');
  const requestId = `trace-${Date.now()}`;
  const answer = await fetch(
    `${api}/v1/organizations/${organization}/projects/${project}/containers`,
    {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, 'x-request-id': requestId },
        'content-type': 'application/json',
      },
      body: JSON.stringify({ image: 'traced', command: ['sh', '-c', 'sleep 1; exit 3'] }),
    },
  );
  expect(answer.headers.get('x-request-id')).toBe(requestId);
  const made = (await answer.json()) as { id: string; engineId: string };
  await ended(made);
  await remove(made);

  const expected = [
    { name: 'api', msg: 'request', method: 'POST', status: 202 },
    { name: 'api', msg: 'dispatched', engineId: made.engineId },
    { name: 'agent', msg: 'command', engineId: made.engineId },
    { name: 'api', msg: 'request', path: '/calls/containerOrder' },
    { name: 'api', msg: 'request', path: expect.stringContaining('/traced/manifests/') },
    { name: 'agent', msg: 'step', step: 'run', containerId: made.id },
    // a second later, by an event that no request is told with
    { name: 'agent', msg: 'run ended', engineId: made.engineId, reason: 'error', exitCode: 3 },
    { name: 'api', msg: 'request', path: '/calls/reportContainer' },
  ];
  await vi.waitFor(async () => {
    const lines = await logLines(stateDir(), requestId);
    for (const line of expected) expect(lines).toContainEqual(expect.objectContaining(line));
    for (const line of lines) expect(line.requestId).toBe(requestId);
  }, WITHIN);
});

/** In Prometheus' text format. */
async function metricsAt(path: string, token = platform().token): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${platform().api}${path}`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return answer.text();
}

/** Of a counter, a gauge or a histogram's count; 0 when there is none yet. */
function countIn(text: string, series: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

test('the API counts what there is, and a node what it does', async () => {
  const AGENT = '/v1/nodes/local/metrics';
  const ENDED = 'slipway_agent_runs_ended_total{reason="error"}';
  const RUNS = 'slipway_agent_step_duration_seconds_count{step="run",outcome="done"}';
  const DISPATCHED = 'slipway_dispatch_wait_seconds_count';
  const before = { api: await metricsAt('/metrics'), agent: await metricsAt(AGENT) };
  const other = containersIn(await otherProject(`measured-${Date.now()}`));
  const failing = await other.sh('exit 1');
  const resting = await other.sh('true', { start: false });
  await other.ended(failing);
  await other.wait(resting, 'created', 0);
  const after = { api: await metricsAt('/metrics'), agent: await metricsAt(AGENT) };
  const grown = (of: 'api' | 'agent', series: string) =>
    countIn(after[of], series) - countIn(before[of], series);
  expect(grown('agent', ENDED)).toBeGreaterThanOrEqual(1);
  expect(grown('agent', RUNS)).toBeGreaterThanOrEqual(1);
  expect(grown('api', DISPATCHED)).toBeGreaterThanOrEqual(2);
  const created = 'slipway_containers{state="created"}';
  expect(countIn(after.api, created)).toBeGreaterThanOrEqual(1);
  expect(after.api).toMatch(/^slipway_node_heartbeat_age_seconds\{node="local"\} [\d.]+$/m);
  // no tenant's name is a label
  expect(after.api + after.agent).not.toContain('measured-');
  for (const container of [failing, resting]) await other.remove(container);
});

test('docs/metrics.md has each metric that is ours, and no other', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
  const [, ofApi = '', ofAgent = ''] = text.split(/^## /m);
  const documented = (part: string) =>
    [...part.matchAll(/^\| `(\w+)` +\| (\w+) +\|[^|]+\| \S/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
  const served = async (path: string) =>
    [...(await metricsAt(path)).matchAll(/^# TYPE (slipway_\w+) (\w+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
  expect(documented(ofApi).toSorted()).toEqual((await served('/metrics')).toSorted());
  expect(documented(ofAgent).toSorted()).toEqual(
    (await served('/v1/nodes/local/metrics')).toSorted(),
  );
});
