import { z } from 'zod';

/** A part of a host name and of an image's name. */
export const LabelSchema = z
  .string()
  .max(40)
  .regex(
    /^[a-z](-?[a-z0-9])*$/,
    'may have lower-case letters, digits and single "-" between them, and begins with a letter',
  );

/**
 * What stands, or may stand some day, where an organization's or a project's slug does: in the paths of
 * URLs and of images. `localhost` is a host to whoever reads an image's name.
 */
const RESERVED: ReadonlySet<string> = new Set([
  ...['admin', 'api', 'auth', 'base', 'console', 'docker', 'edge', 'library', 'localhost', 'me'],
  ...['new', 'registry', 'scratch', 'settings', 'slipway', 'system', 'token', 'v1', 'v2', 'www'],
]);

/** The name of an organization or a project in URLs and images. */
export const SlugSchema = LabelSchema.refine(
  (slug) => !RESERVED.has(slug),
  'is reserved: choose another',
);
