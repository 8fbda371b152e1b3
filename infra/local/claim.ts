import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeWhole } from './files.ts';
import type { Instance } from './instance.ts';
import { withMachineLock } from './machine-lock.ts';

/** Where one finds them unless they are taken. */
const DEFAULT_PORTS = { api: 7700, registry: 7750 };
/** Others are looked for from here. */
const FIRST_OTHER_PORT = 17_700;

export type Ports = typeof DEFAULT_PORTS;

/** What an instance has of the machine's: `/run/slipway/<id>.json`. */
const ClaimSchema = z.object({
  checkout: z.string(),
  ports: z.record(z.string(), z.int()),
});

const CLAIMS_DIR = '/run/slipway';

export function claimFileOf({ id }: Pick<Instance, 'id'>): string {
  return join(CLAIMS_DIR, `${id}.json`);
}

/** Every instance that says it is, or left a claim behind, this one too. */
export function claims(): { id: string; checkout: string; ports: number[] }[] {
  if (!existsSync(CLAIMS_DIR)) return [];
  return readdirSync(CLAIMS_DIR)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const claim = ClaimSchema.safeParse(readJson(join(CLAIMS_DIR, file))).data;
      if (claim === undefined) return [];
      const ports = Object.values(claim.ports);
      return [{ id: file.slice(0, -'.json'.length), checkout: claim.checkout, ports }];
    });
}

/** Chooses ports, last time's when they are still free, and writes the claim. */
export async function claimPorts(instance: Instance): Promise<Ports> {
  const remembered = join(instance.stateDir, 'ports.json');
  return withMachineLock(async () => {
    const others = claims().filter(({ id }) => id !== instance.id);
    const taken = new Set(others.flatMap(({ ports }) => ports));
    const wanted = {
      ...DEFAULT_PORTS,
      ...z.record(z.string(), z.int()).safeParse(readJson(remembered)).data,
    };
    const ports = {
      api: await freePort(wanted.api, taken),
      registry: await freePort(wanted.registry, taken),
    };
    writeWhole(claimFileOf(instance), { checkout: instance.checkout, ports });
    writeWhole(remembered, ports);
    return ports;
  });
}

async function freePort(wanted: number, taken: Set<number>): Promise<number> {
  for (let port = wanted; port <= 65_535; port = Math.max(port + 1, FIRST_OTHER_PORT)) {
    if (taken.has(port) || !(await canListen(port))) continue;
    taken.add(port);
    return port;
  }
  throw new Error('No TCP port is free on this machine.');
}

function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => done(true)),
    );
  });
}
