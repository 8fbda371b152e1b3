import type { BuildOrder } from '@slipway/contracts';

/** What buildah finds in its sandbox, and leaves there. */
export const INSIDE = {
  context: '/context',
  dockerfile: '/Dockerfile',
  /** empty: what the context's own says has been done, and buildah's rules are not quite Docker's */
  ignoreFile: '/ignore',
  authFile: '/auth.json',
  seccomp: '/seccomp.json',
  images: '/var/lib/containers',
  /** where buildah keeps what `RUN --mount=type=cache` finds */
  caches: '/var/tmp/buildah-cache',
  secret: (id: string): string => `/secrets/${id}`,
  result: (file: string): string => `/var/tmp/${file}`,
};

export const IMAGE_ID = 'image-id';
export const DIGEST = 'digest';

/** @see buildah-build(1) */
export function buildCommand(order: BuildOrder): string[] {
  const { args, labels, secrets, target, noCache } = order;
  return [
    ...['buildah', 'build', '--isolation', 'oci', '--runtime', 'runc', '--network', 'none'],
    ...['--layers', '--force-rm', '--format', 'oci', '--iidfile', INSIDE.result(IMAGE_ID)],
    // below the sandbox's own, whose limits are for both
    ...['--cgroup-parent', '/run', '--security-opt', `seccomp=${INSIDE.seccomp}`],
    ...['--authfile', INSIDE.authFile, '--file', INSIDE.dockerfile],
    ...['--ignorefile', INSIDE.ignoreFile],
    ...(target === null ? [] : ['--target', target]),
    ...(noCache ? ['--no-cache'] : []),
    ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
    '--identity-label=false', // buildah's own
    ...Object.entries(labels).map(([key, value]) => `--label=${key}=${value}`),
    ...Object.keys(secrets).map((id) => `--secret=id=${id},src=${INSIDE.secret(id)}`),
    INSIDE.context,
  ];
}

/** @see buildah-push(1) */
export function pushCommand(
  imageId: string,
  { repository, tag }: BuildOrder,
  { host, protocol }: URL,
): string[] {
  return [
    ...['buildah', 'push', `--tls-verify=${protocol !== 'http:'}`, '--authfile', INSIDE.authFile],
    ...['--digestfile', INSIDE.result(DIGEST)],
    ...[imageId, `docker://${host}/${repository}:${tag}`],
  ];
}

/** Of all working containers. @see buildah-rm(1) */
export const TIDY = ['buildah', 'rm', '--all'];
