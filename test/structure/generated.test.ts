import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientSchema, envExample } from '@slipway/infra';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

test('the client’s types come from the present OpenAPI document (else: npm run generate)', async () => {
  const document = JSON.parse(read('libs/client/openapi.json'));
  expect(read('libs/client/src/schema.ts')).toBe(await clientSchema(document));
});

test('.env.example says what the env schemas declare (else: npm run generate)', async () => {
  expect(read('.env.example')).toBe(await envExample());
});
