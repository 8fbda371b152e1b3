import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { declaredRoutes } from '../http/route.ts';
import { buildOpenApiDocument, openApiText } from './document.ts';

const CLIENT_DIR = join(import.meta.dirname, '../../../../libs/client');

test('the document has every route, each with a problem for what goes wrong', () => {
  const document = buildOpenApiDocument();
  const ids = Object.values(document.paths ?? {}).flatMap((item) =>
    Object.values(item ?? {}).map(
      (operation) => (operation as { operationId: string }).operationId,
    ),
  );
  const routes = declaredRoutes().map(({ operationId }) => operationId);
  expect(ids.toSorted()).toEqual(routes.toSorted());
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.paths?.['/v1/health']?.get?.responses?.default).toEqual({
    $ref: '#/components/responses/Problem',
  });
  expect(document.components?.schemas).toHaveProperty('Health');
});

test('the document that the client is made of is this one (else: npm run generate)', () => {
  expect(readFileSync(join(CLIENT_DIR, 'openapi.json'), 'utf8')).toBe(openApiText());
});
