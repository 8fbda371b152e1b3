import type { BuildOrder } from '@slipway/contracts';
import { CAPABILITIES } from '../../containers/runtime-spec.ts';

/** Images come from the names that `registries` maps to ours, and from nowhere else. */
const ANY = [{ type: 'insecureAcceptAnything' }];
const POLICY = {
  default: [{ type: 'reject' }],
  transports: { docker: { 'docker.io': ANY }, 'containers-storage': { '': ANY } },
};

/** What an image's commands may is what it will be run with. */
const CONTAINERS = `[containers]
default_capabilities = ${JSON.stringify(CAPABILITIES)}
`;

const STORAGE = `[storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
`;

/**
 * What buildah looks for in /etc/containers, by its paths.
 * @see containers.conf(5), containers-policy.json(5), containers-storage.conf(5)
 */
export const CONFIGURATION = {
  '/etc/containers/containers.conf': CONTAINERS,
  '/etc/containers/storage.conf': STORAGE,
  '/etc/containers/policy.json': JSON.stringify(POLICY),
};

/** @see containers-auth.json(5) */
export function credentials({ host }: URL, token: string): string {
  const auth = Buffer.from(`build:${token}`).toString('base64');
  return JSON.stringify({ auths: { [host]: { auth } } });
}

/**
 * A name means an image of the project, else a base image, else, with organization and project in
 * front, any that the build may pull: the order that containers have their images by.
 * @param registry its base URL
 * @see containers-registries.conf(5)
 */
export function registries({ host, protocol }: URL, { place }: BuildOrder): string {
  const isPlain = protocol === 'http:';
  const mapped = (prefix: string, location: string): string => `
[[registry]]
prefix = "${prefix}"
location = "${location}"
insecure = ${isPlain}
[[registry.mirror]]
location = "${host}/${place}"
insecure = ${isPlain}
`;
  return `unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
${mapped('docker.io', host)}${mapped('docker.io/library', `${host}/library`)}`;
}
