import { hostname } from 'node:os';
import { NetworkRangeSchema } from '@slipway/contracts';
import { LOG_LEVELS } from '@slipway/log';
import { parseEnv } from '@slipway/process';
import { z } from 'zod';

const socket = z.string().regex(/^\/./, 'must be the absolute path of a Unix socket');
const file = z.string().regex(/^\/./, 'must be the absolute path of a file');
const folder = z.string().regex(/^\/./, 'must be an absolute path');

/** Of the agent and of the log process, which are one program. `.env.example` is generated from it. */
export const EnvSchema = z.object({
  NODE_NAME: z
    .string()
    .min(1)
    .default(hostname())
    .meta({
      description: "This machine's name among the nodes; its host name when left out",
      examples: [''],
    }),
  API_SOCKET: socket.describe('Where the API listens for agents'),
  AGENT_SOCKET: socket.describe('Where the agent listens for the API'),
  LOG_SOCKET: socket.describe('Where the log process listens for the agent'),
  NODE_LIFE_FILE: file.describe(
    'What tells this life of the node from the next: must be gone when the machine restarts',
  ),
  FIFOS_DIR: folder.describe('Where containers write to, until the machine restarts'),
  CONTAINER_LOGS_DIR: folder.describe('Where the logs of containers are'),
  CONTAINER_ETC_DIR: folder.describe('Where the files are that containers find in their /etc'),
  BUILDS_DIR: folder.describe('Where images are built, and what is kept for the next build'),
  REDIS_URL: z.string().min(1).describe('redis://…, or the path of a Unix socket'),
  REGISTRY_URL: z
    .string()
    .regex(/^https?:\/\/[^/]+$/, 'must be http:// or https:// and a host')
    .describe('Where images are pulled from'),
  CONTAINERD_SOCKET: socket.describe("The container engine's"),
  CONTAINERD_STATE_DIR: folder.describe('The `state` of its configuration'),
  CONTAINERD_NAMESPACE: z.string().min(1).default('slipway'),
  RUNC_ROOT: folder.describe('Where runc keeps its state'),
  CGROUP_PARENT: z
    .string()
    .regex(/^\/[\w-]+$/)
    .default('/slipway')
    .describe('The cgroup above those of all containers'),
  NETWORK_RANGE: NetworkRangeSchema.describe(
    "Where containers' addresses are from: a.b.0.0/16, used for nothing else on this machine",
  ),
  NETNS_DIR: folder.describe('Where network namespaces are: mounts there must reach containerd'),
  BRIDGE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,11}$/)
    .default('slipway-')
    .describe("What the names of projects' bridges begin with"),
  NFTABLES_TABLE: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .default('slipway')
    .describe('Where the rules are that keep projects apart'),
  CNI_PLUGINS_DIR: folder.default('/usr/lib/cni'),
  SECCOMP_PROFILE: file
    .default('/usr/share/containers/seccomp.json')
    .describe("Which system calls containers may make, in Docker's format"),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

export type Env = z.infer<typeof EnvSchema>;

/** @throws Error naming each wrong variable */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  return parseEnv(EnvSchema, source, "The agent's environment");
}
