import { Readable } from 'node:stream';
import { Controller, Inject } from '@nestjs/common';
import { METRICS_PATH, type Metrics } from '@slipway/metrics';
import { z } from 'zod';
import { notFound } from '../access/not-found.ts';
import { AgentStreams } from '../agents/agent-streams.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { Streamed } from '../http/streamed.ts';
import { NodeStore } from '../nodes/node.store.ts';
import { METRICS } from '../platform.module.ts';

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
const PROMETHEUS = new Streamed('text/plain');
const tag = 'Platform';
const access = 'operator';

const getMetrics = defineRoute({
  ...{ method: 'GET', path: METRICS_PATH, operationId: 'getMetrics', tag, access },
  summary: 'What the platform and this process measure, for Prometheus',
  responses: { 200: PROMETHEUS },
});

const getNodeMetrics = defineRoute({
  ...{ method: 'GET', path: `/v1/nodes/:node${METRICS_PATH}`, operationId: 'getNodeMetrics' },
  summary: 'What a node’s agent measures, for Prometheus',
  ...{ tag, access, params: z.object({ node: z.string().describe('Identifier or name') }) },
  responses: { 200: PROMETHEUS },
});

@Controller()
export class MetricsController {
  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(AgentStreams) private readonly agents: AgentStreams,
  ) {}

  @Route(getMetrics)
  async get(@RouteInput() { reply }: Input<typeof getMetrics>): Promise<Output<typeof getMetrics>> {
    reply.type(this.metrics.contentType);
    return Readable.from(await this.metrics.metrics(), { objectMode: false });
  }

  @Route(getNodeMetrics)
  async ofNode(
    @RouteInput() { params, reply }: Input<typeof getNodeMetrics>,
  ): Promise<Output<typeof getNodeMetrics>> {
    const node = await this.nodes.find(params.node);
    if (node === null) throw notFound(`node ${params.node}`);
    const answer = await this.agents.open(node.endpoint, METRICS_PATH);
    reply.type(this.metrics.contentType);
    return answer;
  }
}
