import { expect, test } from 'vitest';
import { stepsOf } from './dockerfile.ts';

const NONE = { args: {}, target: null };

test('the steps are the instructions, with their lines and stages', () => {
  const steps = stepsOf(
    `# syntax=docker/dockerfile:1
ARG BASE=node
FROM \${BASE} AS build
RUN echo 1 && \\
  # a comment between
  echo 2

from scratch
COPY --from=build /a /b
`,
    NONE,
  );
  expect(steps.map(({ keyword: _, ...step }) => Object.values(step))).toEqual([
    [1, 3, `FROM \${BASE} AS build`, 1, 1],
    [2, 4, 'RUN echo 1 && echo 2', 1, 2],
    [3, 8, 'from scratch', 2, 1],
    [4, 9, 'COPY --from=build /a /b', 2, 2],
  ]);
});

test('a base is one of ours, by whatever ARG it is named', () => {
  for (const base of ['node', 'node:latest', 'tools/web:v1', 'local/default/web', 'scratch']) {
    expect(stepsOf(`ARG BASE=${base}\nFROM \${BASE:-x}`, NONE)).toHaveLength(1);
  }
  const elsewhere = ['quay.io/a/b', 'localhost:5000/a', 'oci:/etc', 'docker://node'];
  for (const base of [...elsewhere, '"docker-archive:/x"', '$NOTHING', `\${A#b}`, '']) {
    expect(() => stepsOf(`FROM ${base}`, NONE), base).toThrow(/line 1: FROM/);
  }
  expect(() => stepsOf('FROM qu\\\nay.io/a/b', NONE)).toThrow(/line 1: FROM/);
  const given = { args: { BASE: '127.0.0.1:7700/x' }, target: null };
  expect(() => stepsOf('ARG BASE=node\nFROM $BASE', given)).toThrow('leave out the registry');
});

test('what would reach the builder’s machine or a network is refused with its line', () => {
  const hostile = [
    'RUN --mount=type=ssh id',
    'RUN --mount=type=cache,id=../../../x,target=/x id',
    'RUN \\\n  # hidden\n  --mount=type=cache,id=../../../x,target=/x id',
    'RUN --mo\\\nunt=type=cache,id=..,target=/x id',
    'RUN\u0085--mount=type=ssh id',
    'RUN --mount=type=bind,target=/x,from=registry.example/a id',
    'RUN --mount=type=bind,target=/x --mount=type=bind,target=/y,from=oci:/etc id',
    'RUN --mount="type=bind,target=/x" id',
    'RUN --mount=type=bind,target=/x,from=$X id',
    'RUN --mount=type=bind,target=/x,from=\\o\\c\\i:/etc id',
    'run --mount id',
    'RUN --network=host id',
    'RUN --security=insecure id',
    'ONBUILD RUN --network=host id',
    'ONBUILD ONBUILD RUN --network=host id',
    'COPY --link a /x',
    'COPY --from=oci:/etc / /x',
    'COPY --from=registry.example/a / /x',
    'COPY --from="oci:/etc" / /x',
    'ADD --checksum=sha256:0 a /x',
    'ADD http://127.0.0.1:7700/v1/health /x',
    'ADD ["https://example.com/a", "/x"]',
    'ADD git@example.com:a/b.git /x',
    'ADD $URL /x',
    'ONBUILD ADD http://127.0.0.1 /x',
  ];
  for (const instruction of hostile) {
    expect(() => stepsOf(`FROM busybox\n${instruction}`, NONE), instruction).toThrow(/line 2: /);
  }
  const harmless = [
    ...['RUN echo --mount=x', 'RUN cat <<< x', 'ADD a.tar /x', 'COPY --from=0 /a /b'],
    ...['COPY --chown=$USER --chmod=755 --from=tools/web:v1 /a /b', 'CMD --help'],
    'RUN --mount=type=cache,id=npm/a,target=/root/.npm --mount=type=secret,id=token make',
    'RUN --network=none --mount=type=bind,from=busybox,source=/bin,target=/x id',
    'HEALTHCHECK --interval=5s --start-period=1s CMD true',
  ];
  for (const instruction of harmless) {
    expect(stepsOf(`FROM busybox\n${instruction}`, NONE), instruction).toHaveLength(2);
  }
});

test('what is no Dockerfile says why', () => {
  const cases: [string, RegExp][] = [
    ['', /no FROM/],
    ['RUN id', /line 1: RUN: FROM has to come first/],
    ['FROM busybox\nRUNN id', /line 2: RUNN: there is no such instruction/],
    ['FROM busybox\nRUN <<EOF\nid\nEOF', /line 2: RUN: here-documents/],
    [`FROM busybox\n${'RUN id\n'.repeat(500)}`, /line 501: RUN: more than 500 instructions/],
  ];
  for (const [text, message] of cases) expect(() => stepsOf(text, NONE)).toThrow(message);
});

test('a target is a stage that is there, by its name or number', () => {
  const text = 'FROM busybox AS Build\nFROM scratch';
  for (const target of ['build', 'BUILD', '0', '1', null]) {
    expect(stepsOf(text, { args: {}, target })).toHaveLength(2);
  }
  for (const target of ['2', 'other']) {
    expect(() => stepsOf(text, { args: {}, target })).toThrow(`no stage "${target}"`);
  }
});
