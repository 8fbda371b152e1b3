import { z } from 'zod';
import { isDigest } from './digest.ts';

/** @see OCI image-spec, media-types.md, and Docker's "Image Manifest Version 2, Schema 2" */
export const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export const DescriptorSchema = z.looseObject({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'must be sha256: and 64 hexadecimal digits'),
  size: z.int().min(0),
});
export type Descriptor = z.infer<typeof DescriptorSchema>;

/** One image: its configuration and its layers, the lowest first. */
export const ImageManifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: DescriptorSchema,
  layers: z.array(DescriptorSchema),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type ImageManifest = z.infer<typeof ImageManifestSchema>;

/** Several images, one for each platform. */
export const ImageIndexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(
    DescriptorSchema.extend({
      platform: z
        .looseObject({
          os: z.string(),
          architecture: z.string(),
          variant: z.string().optional(),
        })
        .optional(),
    }),
  ),
});
export type ImageIndex = z.infer<typeof ImageIndexSchema>;

export type Manifest =
  | { kind: 'image'; image: ImageManifest }
  | { kind: 'index'; index: ImageIndex };

/** Media types that a client of ours asks a registry for. */
export const MANIFEST_TYPES: readonly string[] = [
  MEDIA_TYPES.manifest,
  MEDIA_TYPES.index,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerList,
];

/** @throws Error that says what is wrong with it */
export function parseManifest(mediaType: string, content: Uint8Array): Manifest {
  const value = parseJson(content);
  const said = z.looseObject({ mediaType: z.string().optional() }).safeParse(value).data?.mediaType;
  if (said !== undefined && said !== mediaType) {
    throw new Error(`its mediaType is ${said}, and it was sent as ${mediaType}`);
  }
  switch (mediaType) {
    case MEDIA_TYPES.manifest:
    case MEDIA_TYPES.dockerManifest:
      return { kind: 'image', image: parsed(ImageManifestSchema, value) };
    case MEDIA_TYPES.index:
    case MEDIA_TYPES.dockerList:
      return { kind: 'index', index: parsed(ImageIndexSchema, value) };
    default:
      throw new Error(`${mediaType || 'no media type'} is none of ${MANIFEST_TYPES.join(', ')}`);
  }
}

/** What a registry must have for the manifest to be whole. */
export function referencesOf(manifest: Manifest): Descriptor[] {
  return manifest.kind === 'image'
    ? [manifest.image.config, ...manifest.image.layers]
    : manifest.index.manifests;
}

function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    throw new Error('it is not JSON');
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message}`);
}
