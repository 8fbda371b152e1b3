import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Descriptor,
  digestOf,
  ImageManifestSchema,
  MEDIA_TYPES,
  RegistryClient,
} from '@slipway/oci';
import type { Env } from '../env.ts';
import type { Instance } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import type { Progress } from '../progress.ts';
import { writeLayer } from './layer.ts';
import { type Recipe, recipes } from './recipes.ts';

/** Says what an image was made of: the same parts need not be packed again. */
const PARTS = 'dev.slipway.parts';
/** Raised when this code makes something else of the same parts. */
const FORM = 1;

/** An image's layers, the lowest first. */
type Layers = readonly Descriptor[];

/** Sees to it that the registry has the base images, made of the machine's present parts. */
export async function provideBaseImages(
  registry: { url: string; token: string },
  context: { instance: Instance; env: Env; tools: Toolbox; progress: Progress },
): Promise<void> {
  const client = new RegistryClient(registry.url, `Bearer ${registry.token}`);
  const made = new Map<string, Layers>();
  for (const recipe of await recipes(context.env, context.tools)) {
    const below = recipe.below === null ? null : made.get(recipe.below);
    if (below === undefined) throw new Error(`${recipe.name} comes before ${recipe.below}`);
    const parts = partsOf(recipe, below);
    const present = await presentImage(client, recipe.name, parts);
    const image =
      present ??
      (await context.progress.step(`made the base image ${recipe.name}`, () =>
        push(client, recipe, { below, parts, folder: context.instance.stateDir }),
      ));
    made.set(recipe.name, image);
  }
}

async function presentImage(
  client: RegistryClient,
  name: string,
  parts: string,
): Promise<Layers | null> {
  const found = await client.manifest(`library/${name}`, 'latest');
  if (found === null) return null;
  const text = new TextDecoder().decode(found.content);
  const manifest = ImageManifestSchema.safeParse(JSON.parse(text)).data;
  return manifest?.annotations?.[PARTS] === parts ? manifest.layers : null;
}

/**
 * Files by their size and time, as `make` does: reading 120 MB at each start would take longer. Where
 * they lie makes no difference: a checkout may be moved.
 */
function partsOf({ entries, env, command }: Recipe, below: Layers | null): string {
  const facts = entries.map((entry) => {
    if (entry.type !== 'file') return entry;
    const { from, ...placed } = entry;
    const { size, mtimeMs } = statSync(from);
    return { ...placed, size, mtimeMs };
  });
  return createHash('sha256')
    .update(JSON.stringify([FORM, facts, env, command, below]))
    .digest('hex');
}

async function push(
  client: RegistryClient,
  recipe: Recipe,
  { below, parts, folder }: { below: Layers | null; parts: string; folder: string },
): Promise<Layers> {
  const name = `library/${recipe.name}`;
  const file = join(folder, 'tmp', `${recipe.name}.tar`);
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  try {
    const layer = await writeLayer(recipe.entries, file);
    await client.pushBlob(name, layer, file);
    for (const lower of below ?? []) {
      await client.mountBlob(name, lower.digest, `library/${recipe.below}`);
    }
    const layers = [...(below ?? []), layer];
    const config = JSON.stringify(configOf(recipe, layers));
    const descriptor = {
      mediaType: MEDIA_TYPES.config,
      digest: digestOf(config),
      size: Buffer.byteLength(config),
    };
    await client.pushBlob(name, descriptor, Buffer.from(config));
    const content = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: descriptor,
      layers,
      annotations: { [PARTS]: parts },
    });
    await client.pushManifest(name, 'latest', { mediaType: MEDIA_TYPES.manifest, content });
    return layers;
  } finally {
    rmSync(file, { force: true });
  }
}

/** @see OCI image-spec, config.md */
function configOf({ env, command }: Recipe, layers: readonly Descriptor[]): object {
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      Cmd: command,
    },
    history: layers.map(() => ({ created_by: 'Slipway, from parts of this machine' })),
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
}

/** Node's names in Go's, which images use. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64' };
