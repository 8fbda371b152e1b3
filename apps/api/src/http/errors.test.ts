import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '@slipway/contracts';
import { expect, test } from 'vitest';

test('docs/errors.md has each code with its status and whether a retry may help, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/errors.md'), 'utf8');
  const documented = [...text.matchAll(/^\| `([\w-]+)` +\| (\d+) +\| (yes|no) +\| \S/gm)];
  const codes = Object.entries(ERROR_CODES).map(
    ([code, meta]) => `${code} ${meta.status} ${'retryable' in meta ? 'yes' : 'no'}`,
  );
  expect(documented.map(([, code, status, retry]) => `${code} ${status} ${retry}`)).toEqual(codes);
});
