import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeWhole } from './files.ts';
import type { Instance } from './instance.ts';
import { withMachineLock } from './machine-lock.ts';
import { freeRange } from './network-range.ts';
import type { Toolbox } from './packages/index.ts';

/** Where one finds them unless they are taken. */
const DEFAULT_PORTS = { api: 7700, registry: 7750, edge: 7780 };
/** Others are looked for from here. */
const FIRST_OTHER_PORT = 17_700;

export type Ports = typeof DEFAULT_PORTS;

/** What an instance has of the machine's. */
export interface Claim {
  ports: Ports;
  /** `10.b.0.0/16`: where its containers' addresses are from */
  networkRange: string;
}

/** `/run/slipway/<id>.json` */
const ClaimSchema = z.object({
  checkout: z.string(),
  ports: z.record(z.string(), z.int()),
  networkRange: z.string().nullable().default(null),
});

const CLAIMS_DIR = '/run/slipway';

export function claimFileOf({ id }: Pick<Instance, 'id'>): string {
  return join(CLAIMS_DIR, `${id}.json`);
}

/** Every instance that says it is, or left a claim behind, this one too. */
export function claims(): ({ id: string } & z.infer<typeof ClaimSchema>)[] {
  if (!existsSync(CLAIMS_DIR)) return [];
  return readdirSync(CLAIMS_DIR)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const claim = ClaimSchema.safeParse(readJson(join(CLAIMS_DIR, file))).data;
      return claim === undefined ? [] : [{ id: file.slice(0, -'.json'.length), ...claim }];
    });
}

/** Chooses ports and a range, last time's when they are still free, and writes the claim. */
export async function claim(instance: Instance, tools: Toolbox): Promise<Claim> {
  const { id, checkout, stateDir } = instance;
  const remembered = join(stateDir, 'claim.json');
  return withMachineLock(async () => {
    const others = claims().filter((other) => other.id !== id);
    const before = ClaimSchema.safeParse(readJson(remembered)).data;
    const taken = new Set(others.flatMap(({ ports }) => Object.values(ports)));
    const wanted = { ...DEFAULT_PORTS, ...before?.ports };
    const ports = {
      api: await freePort(wanted.api, taken),
      registry: await freePort(wanted.registry, taken),
      edge: await freePort(wanted.edge, taken),
    };
    const used = others.flatMap(({ networkRange }) => networkRange ?? []);
    const networkRange = await freeRange(id, before?.networkRange ?? null, used, tools);
    const claimed = { checkout, ports, networkRange };
    writeWhole(claimFileOf(instance), claimed);
    writeWhole(remembered, claimed);
    return { ports, networkRange };
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
