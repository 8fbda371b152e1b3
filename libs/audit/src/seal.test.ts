import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { NO_RECORD, sealBehind } from './seal.ts';

const ROW = {
  ...{ id: 'aud_1', organizationId: 'org_1', time: new Date('2026-12-02T10:00:00.5Z') },
  ...{ operation: 'createContainer', outcome: 'succeeded', reason: null },
  ...{ credentialId: 'key_1', userId: null, ip: '10.0.0.1', userAgent: 'curl "é" 8\n' },
  ...{ requestId: 'r-1', projectId: 'prj_1', targetType: 'container', targetId: 'ctr_1' },
  ...{ targetName: 'web', details: { image: 'app:v1', also: '' }, position: null, hash: null },
};

test('a seal is the hash of what anybody can write down from the list', () => {
  const document =
    '{"credential":"key_1","details":{"also":"","image":"app:v1"},"id":"aud_1","ip":"10.0.0.1",' +
    '"operation":"createContainer","organization":"org_1","outcome":"succeeded","position":1,' +
    `"previous":"${'0'.repeat(64)}","project":"prj_1","reason":null,"requestId":"r-1",` +
    '"target":{"id":"ctr_1","name":"web","type":"container"},"time":"2026-12-02T10:00:00.500Z",' +
    '"user":null,"userAgent":"curl \\"é\\" 8\\n"}';
  const hash = createHash('sha256').update(document).digest('hex');
  expect(sealBehind(NO_RECORD, ROW)).toEqual({ position: 1, hash });
});

test.each(Object.keys(ROW).filter((name) => name !== 'position' && name !== 'hash'))(
  'another %s has another seal',
  (name) => {
    const other = name === 'time' ? new Date(0) : name === 'details' ? { image: 'b' } : 'other';
    const seal = sealBehind(NO_RECORD, ROW);
    expect(sealBehind(NO_RECORD, { ...ROW, [name]: other }).hash).not.toBe(seal.hash);
    expect(sealBehind(seal, ROW)).toEqual({
      position: 2,
      hash: expect.not.stringMatching(seal.hash),
    });
  },
);
