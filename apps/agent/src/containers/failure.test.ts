import { RegistryError } from '@slipway/oci';
import { expect, test } from 'vitest';
import { UnusableImage } from '../images/platform-image.ts';
import { cannotRun, startFailure } from './failure.ts';

const said = (details: string) => startFailure(Object.assign(new Error('14'), { details }));

test('what the runtime says becomes a reason, in its words', () => {
  const create = 'failed to create shim task: OCI runtime create failed: runc create failed: ';
  const start = `${create}unable to start container process: `;
  expect(said(`${start}exec: "x": executable file not found in $PATH: unknown`)).toMatchObject({
    reason: 'command-not-found',
    message: 'The image has no such program: exec: "x": executable file not found in $PATH',
  });
  expect(said(`${start}exec: "/x": exec format error: unknown`)).toMatchObject({
    reason: 'command-not-executable',
  });
});

test('no path of the node is told', () => {
  const { reason, message } = said(
    'runc create failed: error mounting "proc" to "/home/me/.slipway/x/rootfs/proc": busy: unknown',
  );
  expect(reason).toBe('start-failed');
  expect(message).toBe(
    'The runtime could not start the program: error mounting "proc" to "…": busy',
  );
});

test('what may pass is no reason to give up', () => {
  expect(cannotRun(new TypeError('fetch failed'))).toBeNull();
  expect(cannotRun(new RegistryError('full', 507))).toBeNull();
  expect(cannotRun(new RegistryError('the token is too old', 401))).toBeNull();
  expect(cannotRun(new RegistryError('deleted', 404))).toMatchObject({ reason: 'image-not-found' });
  expect(cannotRun(new UnusableImage('arm'))).toMatchObject({
    ...{ reason: 'image-unusable', message: 'arm' },
  });
});
