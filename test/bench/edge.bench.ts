import { join } from 'node:path';
import { ask, toolsForTests } from '@slipway/infra';
import { exec } from '@slipway/process';
import { buildsIn } from '../fixtures/builds.ts';
import { servicesIn } from '../fixtures/services.ts';
import { type Bench, type Comparison, Figures, rounds } from './comparison.ts';
import { p99 } from './latency.ts';
import { nginxImage, PORT, startNginx } from './nginx.ts';

const PEER = 'nginx';
const ROUNDS = 5;
const CONNECTIONS = 32;
const SECONDS = 5;

export const edge: Bench = {
  about: `Requests to a service by its URL, beside nginx that forwards to the same instance. Both are one
process, read and frame what they forward, send it on at once and write a line for each request. Only ours
finds the instance by the host name, and knows when nothing is under way to it any more.`,
  async run(checkout, say) {
    const endpoints = await checkout.endpoints();
    const { build, wait } = buildsIn(endpoints);
    const { create, deployed } = servicesIn(endpoints);
    say('building and deploying the service');
    const { state, message } = await wait(await build('nginx', await nginxImage()));
    if (state !== 'succeeded') throw new Error(`the build ${state}: ${message}`);
    const service = await create('nginx', { image: 'nginx', port: PORT });
    const deploy = await deployed(service);
    if (deploy.state !== 'succeeded')
      throw new Error(`the deploy ${deploy.state}: ${deploy.reason}`);
    const { host } = new URL(service.url);
    const address = new URL(endpoints.edge).host;
    await using nginx = await startNginx(
      join(checkout.stateDir, 'bench-nginx'),
      `${(await ask(service.url)).body}:${PORT}`,
    );
    const places = { ours: address, theirs: nginx.address };

    const rows = {
      throughput: {
        ...{ what: `requests over ${CONNECTIONS} connections`, peer: PEER, figures: new Figures() },
        ...{ unit: '/s', better: 'higher', target: { ratio: 0.6 } },
      },
      latency: {
        ...{ what: 'p99 of 250 requests a second', peer: PEER, figures: new Figures() },
        ...{ unit: 'ms', better: 'lower' },
      },
    } as const satisfies Record<string, Comparison>;
    for (const round of rounds(ROUNDS)) {
      say(round.name);
      for (const side of round.sides) {
        const perSecond = await throughput(places[side], host);
        if (round.counts) rows.throughput.figures[side].push(perSecond);
      }
      for (const side of round.sides) {
        const ms = await p99(places[side], host);
        if (round.counts) rows.latency.figures[side].push(ms);
      }
    }
    return Object.values(rows);
  },
};

/** Requests in a second, as many as there can be. */
async function throughput(address: string, host: string): Promise<number> {
  const wrk = (await toolsForTests(['wrk'])).fileOf('wrk');
  const load = ['--threads', '1', '--connections', `${CONNECTIONS}`, '--duration', `${SECONDS}s`];
  const { stdout } = await exec(wrk, [...load, '--header', `Host: ${host}`, `http://${address}/`]);
  if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(`requests failed: ${stdout}`);
  return Number(/Requests\/sec: +(\S+)/.exec(stdout)?.[1]);
}
