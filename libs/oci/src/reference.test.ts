import { expect, test } from 'vitest';
import { parseImageReference } from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test('a name may have a registry, a tag and a digest; the digest counts more', () => {
  expect(parseImageReference('node')).toEqual({
    ...{ registry: null, repository: 'node', reference: 'latest' },
  });
  expect(parseImageReference('team/web:v2')).toMatchObject({
    ...{ repository: 'team/web', reference: 'v2' },
  });
  expect(parseImageReference(`127.0.0.1:7750/local/web:v2@${DIGEST}`)).toEqual({
    ...{ registry: '127.0.0.1:7750', repository: 'local/web', reference: DIGEST },
  });
  expect(parseImageReference('localhost/web')).toMatchObject({ registry: 'localhost' });
});

test('what is no name is none', () => {
  const wrong = ['', 'Web', 'web:', ':v1', 'web@sha256:1', 'a//b', '../b', `a@${DIGEST}@x`, 'a b'];
  expect(wrong.map(parseImageReference)).toEqual(wrong.map(() => null));
});
