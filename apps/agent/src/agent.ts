import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { API_CALLS, BUILD_CALLS, LOG_CALLS } from '@slipway/contracts';
import { type Logger, traced } from '@slipway/log';
import { METRICS_PATH, openMetrics } from '@slipway/metrics';
import { BUILDS, nodeQueue, workOn } from '@slipway/queue';
import { callerOf, connect } from '@slipway/rpc';
import pLimit from 'p-limit';
import { BuildCgroups } from './builds/build-cgroups.ts';
import { Buildah } from './builds/buildah/buildah.ts';
import { BUILDS_SIDE_BY_SIDE, Builds } from './builds/builds.ts';
import { ContextSource } from './builds/context/context-source.ts';
import { RegistryPassages } from './builds/sandbox/registry-passages.ts';
import { Containerd } from './containerd/containerd.ts';
import { endpointsOf, serveAddresses } from './containers/addresses.ts';
import { ContainerMetrics } from './containers/container-metrics.ts';
import { Looks } from './containers/looks.ts';
import type { NodeContext } from './containers/node-context.ts';
import { Outputs } from './containers/outputs.ts';
import { Resync } from './containers/resync.ts';
import { CAPABILITIES } from './containers/runtime-spec.ts';
import { readSeccomp } from './containers/seccomp.ts';
import { serveSignals } from './containers/signals.ts';
import { createDoor, listenOn } from './door.ts';
import type { Env } from './env.ts';
import { ImagePuller } from './images/image-puller.ts';
import { ARCHITECTURE } from './images/platform-image.ts';
import { NodeNetwork } from './network/node-network.ts';
import { Announcer } from './node/announcer.ts';
import { lifeOf } from './node/life.ts';
import { serveLogs } from './streams/logs.stream.ts';
import { Meters } from './usage/meters.ts';

/** Each is short, and what takes long is bounded where it is done. */
const COMMANDS_SIDE_BY_SIDE = 50;

/** Resolves when the node has joined and takes commands. */
export async function startAgent(env: Env, log: Logger): Promise<{ close(): Promise<void> }> {
  let joined: Looks | null = null;
  const seccomp = readSeccomp(env.SECCOMP_PROFILE, {
    ...{ capabilities: CAPABILITIES, architecture: ARCHITECTURE, kernel: release() },
  });
  const containerd = new Containerd({
    socket: env.CONTAINERD_SOCKET,
    stateDir: env.CONTAINERD_STATE_DIR,
    namespace: env.CONTAINERD_NAMESPACE,
    runcRoot: env.RUNC_ROOT,
  });
  const metrics = openMetrics();
  const containerMetrics = new ContainerMetrics(metrics, containerd);
  const door = createDoor(log, () => joined !== null);
  door.get(METRICS_PATH, () => metrics.metrics());
  serveLogs(door, env.CONTAINER_LOGS_DIR, () => joined);
  serveAddresses(door, containerd);
  serveSignals(door, containerd);
  await listenOn(door, env.AGENT_SOCKET);

  const apiPool = connect(`unix:${env.API_SOCKET}`);
  const logPool = connect(`unix:${env.LOG_SOCKET}`);
  const api = callerOf(apiPool, API_CALLS);
  const network = await NodeNetwork.begin(
    {
      ...{ namespacesDir: env.NETNS_DIR, pluginsDir: env.CNI_PLUGINS_DIR },
      ...{ bridgePrefix: env.BRIDGE_PREFIX, table: env.NFTABLES_TABLE },
    },
    log,
    await endpointsOf(containerd),
  );
  const endpoint = `unix:${env.AGENT_SOCKET}`;
  const announcer = new Announcer(
    {
      ...{ name: env.NODE_NAME, endpoint, networkRange: env.NETWORK_RANGE },
      life: await lifeOf(env.NODE_LIFE_FILE),
    },
    api,
    log,
  );
  const nodeId = await announcer.join();
  const meters = new Meters(nodeId, api, log);
  const context: NodeContext = {
    ...{ nodeId, containerd, network, seccomp, api, log, metrics: containerMetrics },
    images: new ImagePuller(containerd, { registryUrl: env.REGISTRY_URL, metrics }),
    outputs: new Outputs(callerOf(logPool, LOG_CALLS), env.FIFOS_DIR),
    meters,
    ...{ cgroupParent: env.CGROUP_PARENT, etcDir: env.CONTAINER_ETC_DIR },
    heavy: pLimit(2 * cpus().length),
  };
  const looks = new Looks(context);
  const resync = new Resync(looks, context);
  const passages = await RegistryPassages.begin(env.REGISTRY_URL, env.NETNS_DIR, log);
  // below none of the containers', whose share builds would have when those sleep
  const buildCgroups = await BuildCgroups.begin(`${env.CGROUP_PARENT}-builds`, meters, log);
  const buildah = await Buildah.begin(
    { folder: env.BUILDS_DIR, seccomp },
    buildCgroups,
    passages,
    log,
  );
  const builds = await Builds.begin({
    ...{ nodeId, log, metrics, workDir: join(env.BUILDS_DIR, 'work') },
    api: callerOf(apiPool, BUILD_CALLS),
    ...{ contexts: new ContextSource(apiPool, nodeId), builder: buildah },
  });
  const closing = new AbortController();
  const watching = containerd.watchExits(
    { onExit: (engineId) => void looks.look(engineId), onGap: () => resync.soon() },
    closing.signal,
  );
  const worker = workOn(env.REDIS_URL, nodeQueue(nodeId), {
    sideBySide: COMMANDS_SIDE_BY_SIDE,
    async onCommand({ engineId, requestId }, waitedMs) {
      containerMetrics.commandWaitSeconds.observe(waitedMs / 1_000);
      await traced(requestId, async () => {
        const begun = performance.now();
        await looks.look(engineId);
        const durationMs = Math.round(performance.now() - begun);
        log.info({ engineId, waitedMs, durationMs }, 'command');
      });
    },
    onGap: () => resync.soon(),
  });
  const builder = workOn(env.REDIS_URL, BUILDS, {
    sideBySide: BUILDS_SIDE_BY_SIDE,
    onCommand: () => builds.makeNext(),
    onGap: () => builds.look(),
  });
  joined = looks;
  log.info({ nodeId, node: env.NODE_NAME }, 'the node has joined');
  return {
    async close() {
      closing.abort();
      announcer.close();
      await Promise.all([
        builds.close(),
        builder.close(),
        worker.close(),
        resync.close(),
        looks.close(),
        watching,
      ]);
      await meters.close();
      await passages.close();
      await network.close();
      containerd.close();
      await Promise.all([door.close(), apiPool.close(), logPool.close()]);
    },
  };
}
