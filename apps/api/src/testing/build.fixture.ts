import type { BuildEnd, BuildOrder, BuildStep } from '@slipway/contracts';
import type { TestApi } from './api.fixture.ts';
import type { TestNode } from './node.fixture.ts';

const P = '/v1/organizations/local/projects/default';

export const TAR = { 'content-type': 'application/x-tar' };
export const SUCCEEDED = { state: 'succeeded' as const, digest: `sha256:${'0'.repeat(64)}` };

/** Builds of the default project: what a client does with them, and what a node says of them. */
export function testBuilds(api: TestApi, node: TestNode) {
  const attemptOf = ({ id, attempt }: BuildOrder) => ({ nodeId: node.id, buildId: id, attempt });
  const end = (order: BuildOrder, how: BuildEnd = SUCCEEDED) =>
    node.builds.endBuild({ ...attemptOf(order), end: how });

  /** Ends those whose turn is before: earlier tests have left them. */
  async function takeIfFree({ id }: { id: string }): Promise<BuildOrder | null> {
    const { order } = await node.builds.takeBuild({ nodeId: node.id });
    if (order === null || order.id === id) return order;
    await end(order);
    return takeIfFree({ id });
  }

  return {
    attemptOf,
    async build(query = 'image=web', body = 'a tar'): Promise<{ id: string }> {
      const answer = await api.call('POST', `${P}/builds?${query}`, { body, headers: TAR });
      if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
      return answer.body;
    },
    ...{ takeIfFree, end },
    /** Ends what earlier tests have left. */
    async clear(): Promise<void> {
      await node.builds.releaseBuilds({ nodeId: node.id });
      await takeIfFree({ id: 'none' });
    },
    async take(made: { id: string }): Promise<BuildOrder> {
      const order = await takeIfFree(made);
      if (order === null) throw new Error(`${made.id} is not to be had`);
      return order;
    },
    get: async ({ id }: { id: string }) => (await api.call('GET', `${P}/builds/${id}`)).body,
    /** Step 2 does. @param outputFrom how many pieces were told before */
    write: (order: BuildOrder, outputFrom: number, ...texts: string[]) => {
      const time = new Date().toISOString();
      const output = texts.map((text) => ({ step: 2, time, text }));
      return node.builds.reportBuild({ ...attemptOf(order), outputFrom, output });
    },
    reportSteps: (order: BuildOrder, steps: BuildStep[], outputFrom = 0) =>
      node.builds.reportBuild({ ...attemptOf(order), steps, outputFrom, output: [] }),
  };
}

export function testStep(number: number, state: BuildStep['state']): BuildStep {
  const times = { startedAt: null, finishedAt: null };
  return { number, line: number, instruction: 'RUN make', state, cached: false, ...times };
}
