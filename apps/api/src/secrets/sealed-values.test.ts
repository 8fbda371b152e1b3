import { Secret } from '@slipway/log';
import { expect, test } from 'vitest';
import { SealedValues } from './sealed-values.ts';

const sealedValues = new SealedValues(new Secret('k'.repeat(32)));
const values = { token: 'hunter2', 'a b': '\u{1f600}\n' };

test('what is sealed shows nothing, and opens for its owner only, with the same key', async () => {
  const sealed = await sealedValues.seal('bld_1', values);
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(/hunter2|token|bld_1/);
  expect(await sealedValues.open('bld_1', sealed)).toEqual(values);
  await expect(sealedValues.open('bld_2', sealed)).rejects.toThrow('sub');
  const other = new SealedValues(new Secret('x'.repeat(32)));
  await expect(other.open('bld_1', sealed)).rejects.toThrow();
  expect(await sealedValues.seal('bld_1', values)).not.toBe(sealed);
});
