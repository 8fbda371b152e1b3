import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createRawServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_CALLS, type EdgeReport, type Instance, type Route } from '@slipway/contracts';
import { startThrowawayRedis } from '@slipway/infra';
import { createLogger } from '@slipway/log';
import { RoutePublisher, type Served } from '@slipway/routes';
import { serveCalls } from '@slipway/rpc';
import Fastify from 'fastify';
import { expect, vi } from 'vitest';
import { type RunningEdge, startEdge } from './edge.ts';
import { readEnv } from './env.ts';
import { LIMITS, type Limits } from './limits.ts';

const WITHIN = { timeout: 30_000 };

/** An edge with all that is around it: Redis, an agent, and containers that are servers of the test. */
export class Stage implements AsyncDisposable {
  readonly agent: TestAgent;
  readonly #redis: Awaited<ReturnType<typeof startThrowawayRedis>>;
  readonly #publisher: RoutePublisher;
  readonly #closing: (() => Promise<unknown>)[] = [];
  #isWithoutRedis = false;

  private constructor(redis: Awaited<ReturnType<typeof startThrowawayRedis>>, agent: TestAgent) {
    this.#redis = redis;
    this.#publisher = new RoutePublisher(redis.url);
    this.agent = agent;
  }

  static async set(): Promise<Stage> {
    const [redis, agent] = await Promise.all([startThrowawayRedis(), TestAgent.start()]);
    const stage = new Stage(redis, agent);
    await vi.waitFor(() => stage.#publisher.version(), WITHIN);
    return stage;
  }

  /** Another edge, which ends with the stage. */
  async edge(limits: Partial<Limits> = {}, port = '0'): Promise<TestEdge> {
    const lines: Line[] = [];
    const env = readEnv({ EDGE_PORT: port, REDIS_URL: this.#redis.url });
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const log = createLogger({ name: 'edge', level: 'debug', destination });
    const edge = await startEdge(env, log, { ...LIMITS, confirmEveryMs: Infinity, ...limits });
    let closed: Promise<void> | undefined;
    const close = () => (closed ??= edge.close());
    this.#closing.push(close);
    return new TestEdge({ ...edge, close }, lines);
  }

  /** A container of which the agent knows the address. @returns the instance that routes name */
  async container(listener: RequestListener | Server, address = '127.0.0.1'): Promise<Instance> {
    const server = typeof listener === 'function' ? createServer(listener) : listener;
    return this.#listening(server, address);
  }

  /** A container that speaks anything. */
  async rawContainer(onConnection: (socket: Socket) => void): Promise<Instance> {
    return this.#listening(createRawServer(onConnection), '127.0.0.1');
  }

  /** What edges told of themselves. */
  edges(): Promise<EdgeReport[]> {
    return this.#publisher.edges();
  }

  /** What edges have told that they served. */
  served(): Promise<Served[]> {
    return this.#publisher.served();
  }

  async forgetServed(): Promise<void> {
    await this.#publisher.forgetServed(await this.served());
  }

  /** For good. */
  async loseRedis(): Promise<void> {
    this.#publisher.close();
    await this.#redis[Symbol.asyncDispose]();
    this.#isWithoutRedis = true;
  }

  /** @returns its host, which edges learn of */
  async route(...instances: Instance[]): Promise<string> {
    const host = `s-${randomBytes(6).toString('hex')}.localhost`;
    await this.reroute(host, ...instances);
    return host;
  }

  /** @returns the version of the change */
  async reroute(host: string, ...instances: Instance[]): Promise<number> {
    const route: Route = { host, serviceId: 'svc_1', revisionId: 'rev_1', instances };
    const after = await this.#publisher.version();
    expect(await this.#publisher.publish(after, [{ version: after + 1, host, route }])).toBe(true);
    return after + 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closing.map((close) => close()));
    await this.agent.close();
    if (!this.#isWithoutRedis) await this.loseRedis();
  }

  async #listening(server: Server | ReturnType<typeof createRawServer>, address: string) {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => {}));
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, address);
    await once(server, 'listening');
    this.#closing.push(async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return this.agent.knows(address, (server.address() as AddressInfo).port);
  }
}

type Line = Record<string, unknown>;

/** An edge, and how to speak to it. */
export class TestEdge {
  readonly url: string;
  readonly close: () => Promise<void>;
  /** lines of its log */
  readonly log: readonly Line[];

  constructor({ url, close }: RunningEdge, log: readonly Line[]) {
    this.url = url;
    this.close = close;
    this.log = log;
  }

  /** A connection to write bytes to. */
  open(): Promise<RawClient> {
    return opened(Number(new URL(this.url).port));
  }

  /** @returns what a client that writes these bytes gets, until its connection is closed */
  async exchange(bytes: string): Promise<string> {
    const { socket, text, closed } = await this.open();
    socket.write(bytes, 'latin1');
    await closed;
    return text();
  }

  /** Resolves, to the same host, once the edge has its route. */
  async knows(host: string): Promise<string> {
    const probe = `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await vi.waitFor(
      async () => expect(await this.exchange(probe)).toMatch(/^HTTP\/1.1 204/),
      WITHIN,
    );
    return host;
  }
}

/** The part of an agent that edges speak to. */
export class TestAgent {
  readonly endpoint: string;
  /** a promise: it takes so long to say */
  readonly addresses = new Map<string, string | null | Promise<null>>();
  /** engine ids, as they were asked for */
  readonly asked: string[] = [];
  readonly #door = Fastify({ forceCloseConnections: true });
  readonly #path = join(tmpdir(), `slipway-edge-${randomBytes(6).toString('hex')}.sock`);

  private constructor() {
    this.endpoint = `unix:${this.#path}`;
    const containerAddress = async ({ engineId }: { engineId: string }) => {
      this.asked.push(engineId);
      return { address: (await this.addresses.get(engineId)) ?? null };
    };
    serveCalls(this.#door, AGENT_CALLS, { containerAddress }, (message) => new Error(message));
  }

  static async start(): Promise<TestAgent> {
    const agent = new TestAgent();
    await agent.#door.listen({ path: agent.#path });
    return agent;
  }

  /** A new container. */
  knows(address: string | null, port: number): Instance {
    const engineId = randomBytes(32).toString('hex');
    this.addresses.set(engineId, address);
    return { node: this.endpoint, engineId, containerId: 'ctr_1', port };
  }

  async close(): Promise<void> {
    await this.#door.close();
    await rm(this.#path, { force: true });
  }
}

/** A client that speaks bytes. */
export interface RawClient {
  socket: Socket;
  /** everything that has come, as latin1 */
  text(): string;
  /** the connection is over, in whichever way */
  closed: Promise<unknown>;
}

async function opened(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise((done) => socket.once('close', done));
  await once(socket, 'connect');
  return { socket, text: () => text, closed };
}
