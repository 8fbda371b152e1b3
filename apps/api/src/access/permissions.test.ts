import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PERMISSIONS, permissionsOf, ROLES } from './permissions.ts';

test('docs/roles.md has each permission, and who has it', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/roles.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(.+)` \| [^|]+ \| (.+) \|$/gm)];
  const documented = rows.map(([, permission = '', may = '']) => [permission, may.split(' | ')]);
  expect(documented).toEqual(
    PERMISSIONS.map((permission) => [
      permission,
      ROLES.map((role) => (permissionsOf(role).includes(permission) ? 'yes' : 'no')),
    ]),
  );
});
