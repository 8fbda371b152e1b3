import type { BuildStep } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { stepsOf } from '../dockerfile/dockerfile.ts';
import { BuildProgress } from './progress.ts';

/** What comes of a builder's lines. */
function follow(dockerfile: string, lines: readonly string[], end: 'succeeded' | 'failed') {
  let steps: BuildStep[] = [];
  const written: string[] = [];
  const progress = new BuildProgress(stepsOf(dockerfile, { args: {}, target: null }), {
    steps: (seen) => {
      steps = seen;
    },
    write: (step, line) => written.push(`${step ?? '-'} ${line}`),
  });
  for (const line of lines) progress.onLine(line);
  if (end === 'succeeded') progress.succeeded();
  const states = steps.map(({ state, cached }) => (cached ? `${state} cached` : state));
  const timed = steps.map(({ startedAt, finishedAt }) => [startedAt, finishedAt]);
  const current = progress.current?.line ?? null;
  const { error, signal } = progress;
  return { states, timed, written, error, signal, current };
}

test('a step is under way from its announcement to the next; what is not announced is not needed', () => {
  const seen = follow(
    'FROM busybox AS a\nFROM busybox\nRUN make\nCMD x',
    [
      '[2/2] STEP 1/3: FROM busybox',
      'Trying to pull docker.io/library/busybox:latest...',
      '[2/2] STEP 2/3: RUN make',
      'making',
      '[2/2] STEP 3/3: CMD x',
      `--> Using cache ${'0'.repeat(64)}`,
      '[2/2] STEP 4/4: LABEL "given"="with the build"',
      '[2/2] COMMIT',
    ],
    'succeeded',
  );
  expect(seen.states).toEqual(['skipped', 'succeeded', 'succeeded', 'succeeded cached']);
  const [skipped, ...needed] = seen.timed;
  expect(skipped).toEqual([null, null]);
  expect(needed.flat()).toEqual(needed.flat().toSorted());
  expect(needed.flat()).not.toContain(null);
  expect(seen.written).toEqual([
    '- STEP 2/4: FROM busybox',
    '- STEP 3/4: RUN make',
    '3 making',
    '- STEP 4/4: CMD x',
    '- --> cached',
  ]);
});

test('what a base image triggers is output of its FROM, and shifts the numbers of what follows', () => {
  const seen = follow(
    'FROM base\nRUN a\nRUN b',
    [
      'STEP 1/3: FROM base',
      'STEP 2/5: RUN trigger',
      'triggered',
      'STEP 3/5: RUN another',
      'STEP 4/5: RUN a',
      'of a',
      'STEP 5/5: RUN b',
      'of b',
      'container exited on killed',
      'Error: building at STEP "RUN b": while running runtime: exit status 1',
    ],
    'failed',
  );
  expect(seen).toMatchObject({ states: ['succeeded', 'succeeded', 'running'], current: 3 });
  expect(seen.signal).toBe('killed');
  const steps = ['1 STEP 2/5: RUN trigger', '1 triggered', '1 STEP 3/5: RUN another'];
  expect(seen.written.slice(1, 4)).toEqual(steps);
  expect(seen.written).toContain('2 of a');
  expect(seen.written).toContain('3 of b');
});

test('a command that writes like the builder fools nobody about steps that are over', () => {
  const seen = follow(
    'FROM busybox\nRUN fake\nRUN true',
    [
      'STEP 1/3: FROM busybox',
      'STEP 2/3: RUN fake',
      'STEP 1/3: FROM busybox',
      'STEP 3/3: COPY . .',
      'STEP 3/4: RUN true',
      'STEP 4/3: RUN true',
      'STEP 2/3: RUN fake',
      'Copying blob of my own',
      'Error: something of the program',
      'COMMIT',
      'STEP 3/3: RUN true',
      'COMMIT',
    ],
    'succeeded',
  );
  expect(seen.states).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect(seen.written.filter((line) => line.startsWith('2 '))).toHaveLength(8);
  expect(seen.written).toContain('2 Error: something of the program');
});

test('the builder’s complaint is its last line, of the step that is under way', () => {
  const seen = follow(
    'FROM busybox\nRUN a\nRUN b',
    ['STEP 1/3: FROM busybox', 'STEP 2/3: RUN a', 'Error: mine', 'Error: building at STEP'],
    'failed',
  );
  expect(seen).toMatchObject({ current: 2, error: 'building at STEP' });
  expect(seen.states).toEqual(['succeeded', 'running', 'waiting']);
  expect(seen.timed.at(-1)).toEqual([null, null]);
  expect(seen.timed.flat().filter((time) => time !== null)).toHaveLength(3);
  expect(seen.written.at(-1)).toBe('2 Error: mine');
});
