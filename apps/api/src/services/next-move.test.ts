import { expect, test } from 'vitest';
import { type DeployView, type InstanceView, nextMove } from './next-move.ts';

const MINUTE_MS = 60_000;
const at = (minutes: number) => new Date(1_700_000_000_000 + minutes * MINUTE_MS);
const pending: InstanceView = {
  ...{ name: 'web-1', state: 'pending', reason: null, message: null },
  ...{ pulledAt: null, startedAt: null, readyAt: null, unready: null },
};
const running: InstanceView = { ...pending, state: 'running', startedAt: at(5) };
const deploy = (instance: InstanceView | null): DeployView => {
  return {
    ...{ state: 'running', createdAt: at(0), healthTimeoutMs: MINUTE_MS, instance },
    ...{ isServing: false, isPublished: false },
  };
};
const queued: DeployView = { ...deploy(null), state: 'queued' };

test('a new one is placed, as long as it is worth to wait for a node', () => {
  expect(nextMove(queued, at(1))).toEqual({ type: 'place', until: at(10) });
  expect(nextMove(queued, at(10))).toMatchObject({ type: 'fail', reason: 'not-placed' });
});

test('its image has time to come, its container to start, then to get healthy, and then it serves', () => {
  for (const [phase, pulledAt, late] of [
    ['pull', null, /image/],
    ['start', at(1), /not start/],
  ] as const) {
    const starting = deploy({ ...pending, pulledAt });
    expect(nextMove(starting, at(9))).toEqual({ type: 'wait', phase, until: at(10) });
    expect(nextMove(starting, at(10))).toEqual({
      ...{ type: 'fail', reason: 'not-started', message: expect.stringMatching(late) },
    });
  }
  const waits = { type: 'wait', phase: 'healthy', until: at(6) };
  expect(nextMove(deploy(running), at(5.5))).toEqual(waits);
  expect(nextMove(deploy({ ...running, readyAt: at(5.9) }), at(7))).toEqual({ type: 'serve' });
});

test('it has succeeded once edges can know of it, whatever becomes of its container', () => {
  const serving = { ...deploy({ ...running, state: 'exited' }), isServing: true };
  expect(nextMove(serving, at(99))).toMatchObject({ type: 'wait', phase: 'route' });
  expect(nextMove({ ...serving, isPublished: true }, at(99))).toEqual({ type: 'succeed' });
});

test('one that does not get healthy fails with what was in the way', () => {
  const unready = 'Nothing listens on port 80.';
  expect(nextMove(deploy({ ...running, unready }), at(6))).toEqual({
    ...{ type: 'fail', reason: 'unhealthy' },
    message: 'Not healthy within 60 s: Nothing listens on port 80.',
  });
});

test('one whose container ended, or is gone, fails with that', () => {
  const exited: InstanceView = { ...running, state: 'exited', reason: 'completed' };
  for (const instance of [exited, { ...exited, message: 'It failed.' }, null]) {
    expect(nextMove(deploy(instance), at(6))).toMatchObject({
      ...{ type: 'fail', reason: 'instance-ended' },
      message: expect.stringMatching(instance?.message ?? /exit code 0|gone/),
    });
  }
});
