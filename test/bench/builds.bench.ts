import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSlipway } from '@slipway/client';
import { buildsIn } from '../fixtures/builds.ts';
import type { Checkout } from '../fixtures/checkout.ts';
import { bareBuildah } from './bare-buildah.ts';
import { type Bench, type Comparison, Figures, rounds } from './comparison.ts';
import { p99 } from './latency.ts';
import { timed } from './starter.ts';

const PEER = 'buildah build and push';
const ROUNDS = 5;

const DOCKERFILE = `FROM busybox
RUN for i in 1 2 3; do echo $i >> /made; done
COPY . /app
RUN wc -c /app/data > /size
CMD ["cat", "/size"]`;

/** What a build does that takes all it gets. */
const GREEDY = {
  computes: ':',
  'writes to disk': 'dd if=/dev/urandom of=/x$worker bs=1M count=20 2> /dev/null; sync',
};
/** More at a time than there are processors, without end; never cached. */
const greedily = (what: string) => `FROM busybox
RUN for worker in 1 2 3 4; do (while date > /dev/null; do ${what}; done) & done; wait; : ${Date.now()}`;

export const builds: Bench = {
  about: `A build from its context to the pushed image, beside buildah called by hand: both push to our
registry. Only ours uploads, is queued, is checked, runs in a sandbox, and has a log that others follow. Cold:
of a project that has built nothing yet. Then what requests to a service take while builds run.`,
  async run(checkout, say) {
    const endpoints = await checkout.endpoints();
    const folder = join(checkout.stateDir, 'bench-builds');
    await using bare = await bareBuildah(folder, endpoints);
    const row = (what: string): Comparison => {
      const common = { peer: PEER, unit: 'ms', better: 'lower' } as const;
      return { what, ...common, figures: new Figures(), target: { difference: 600 } };
    };
    const rows = { cold: row('build and push, cold'), cached: row('build and push, cached') };
    for (const round of rounds(ROUNDS)) {
      say(round.name);
      const files = { Dockerfile: DOCKERFILE, data: randomBytes(500_000).toString('hex') };
      const name = `bench-${Date.now()}`;
      await makeProject(endpoints, name);
      const ours = buildsIn({ ...endpoints, project: name });
      const context = join(folder, 'context');
      await mkdir(context, { recursive: true });
      for (const [path, text] of Object.entries(files)) await writeFile(join(context, path), text);
      const by = {
        ours: async () => {
          const { state, message } = await ours.wait(await ours.build('bench', files));
          if (state !== 'succeeded') throw new Error(`the build ${state}: ${message}`);
        },
        theirs: () => bare.build(name, context, `local/${name}/by-hand:latest`),
      };
      for (const figures of [rows.cold.figures, rows.cached.figures]) {
        for (const side of round.sides) {
          const { ms } = await timed(by[side]);
          if (round.counts) figures[side].push(ms);
        }
      }
      await rm(join(folder, name), { recursive: true });
    }
    const latencies: Comparison[] = [];
    for (const [does, what] of Object.entries(GREEDY)) {
      latencies.push(await latency(checkout, say, { does, what }));
    }
    return [...Object.values(rows), ...latencies];
  },
};

/** Of requests to the sample, with and without builds that take all that they get. */
async function latency(
  checkout: Checkout,
  say: (line: string) => void,
  { does, what }: { does: string; what: string },
): Promise<Comparison> {
  const endpoints = await checkout.endpoints();
  const { build, cancel, logs, wait } = buildsIn(endpoints);
  const edge = new URL(endpoints.edge).host;
  const sample = new URL(endpoints.sampleUrl ?? '').host;
  const figures = new Figures();
  for (const round of rounds(ROUNDS)) {
    say(`requests, each build ${does}, ${round.name}`);
    for (const side of round.sides) {
      const greedy = side === 'theirs' ? [] : [1, 2];
      const made = await Promise.all(
        greedy.map((n) => build(`greedy-${n}`, { Dockerfile: greedily(what) })),
      );
      for (const one of made) while (!(await logs(one)).includes('RUN')) await delay(100);
      const ms = await p99(edge, sample);
      if (round.counts) figures[side].push(ms);
      for (const one of made) {
        await cancel(one);
        await wait(one);
      }
      await calm(join(checkout.stateDir, 'builds'));
    }
  }
  const common = { peer: 'the same without builds', unit: 'ms', better: 'lower' } as const;
  return {
    what: `request p99, each of two builds ${does}`,
    ...common,
    figures,
    target: { ratio: 1.25 },
  };
}

/** Once what builds had on the node is gone. */
async function calm(folder: string): Promise<void> {
  const isBusy = async (name: string): Promise<boolean> =>
    (await readdir(join(folder, name)).catch(() => [])).length > 0;
  while ((await isBusy('work')) || (await isBusy('tidy'))) await delay(100);
}

async function makeProject(
  { api, token, organization }: Record<'api' | 'token' | 'organization', string>,
  slug: string,
): Promise<void> {
  const { error } = await createSlipway(api, { token }).POST(
    '/v1/organizations/{organization}/projects',
    { params: { path: { organization } }, body: { slug, name: slug } },
  );
  if (error !== undefined) throw new Error(JSON.stringify(error));
}
