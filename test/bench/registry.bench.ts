import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomImage } from '../fixtures/random-image.ts';
import { registryTools } from '../fixtures/registry-tools.ts';
import { type Bench, type Comparison, Figures, rounds } from './comparison.ts';
import { startDockerRegistry } from './docker-registry.ts';

const PEER = 'docker-registry';
const REPOSITORY = 'local/default/bench';
const ROUNDS = 5;
const MB = 1_000_000;
const IMAGES = [
  { name: '1 × 200 MB', layers: { count: 1, bytes: 200 * MB } },
  { name: '20 × 2 MB', layers: { count: 20, bytes: 2 * MB } },
];

export const registry: Bench = {
  about: `Pushes and pulls by skopeo, one layer after the other: our registry, which asks PostgreSQL
who may, beside an open docker-registry, on the same disk. Both sync a layer to the disk before they answer.
Besides, ours syncs its folder and a row of PostgreSQL, docker-registry some ten small files.`,
  async run(checkout, say) {
    const { registry: address, token } = await checkout.endpoints();
    const { copy } = await registryTools(address, token);
    const folder = join(checkout.stateDir, 'bench');
    await using peer = await startDockerRegistry(join(folder, PEER));
    const places = {
      ours: `docker://${address}/${REPOSITORY}`,
      theirs: `docker://${peer.address}/${REPOSITORY}`,
    };
    const secondsOf = async (...[from, to]: Parameters<typeof copy>): Promise<number> => {
      const begun = performance.now();
      await copy(from, to);
      return (performance.now() - begun) / 1000;
    };
    const rows: Comparison[] = [];
    for (const { name, layers } of IMAGES) {
      const push = new Figures();
      const pull = new Figures();
      const megabytes = (layers.count * layers.bytes) / MB;
      for (const round of rounds(ROUNDS)) {
        say(`${name}, ${round.name}`);
        const image = join(folder, 'image');
        await randomImage(image, layers);
        for (const side of round.sides) {
          const seconds = await secondsOf(`dir:${image}`, places[side]);
          if (round.counts) push[side].push(megabytes / seconds);
        }
        for (const side of round.sides) {
          const local = join(folder, 'pulled');
          const seconds = await secondsOf(places[side], `dir:${local}`);
          if (round.counts) pull[side].push(megabytes / seconds);
          await rm(local, { recursive: true });
        }
        await rm(image, { recursive: true });
      }
      const common = { peer: PEER, unit: 'MB/s', better: 'higher' } as const;
      rows.push({ what: `push ${name}`, figures: push, ...common });
      rows.push({ what: `pull ${name}`, figures: pull, ...common });
    }
    return rows;
  },
};
