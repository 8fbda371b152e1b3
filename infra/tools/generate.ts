import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientSchema } from './client-schema.ts';
import { envExample } from './env-example.ts';

/*
 * `npm run generate`: writes the committed files that come from code. Each has a test that fails
 * when it is stale.
 */

const ROOT = join(import.meta.dirname, '../..');
const document = execFileSync(process.execPath, [join(ROOT, 'apps/api/dist/openapi.mjs')], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
write('libs/client/openapi.json', document);
write('libs/client/src/schema.ts', await clientSchema(JSON.parse(document)));
write('.env.example', await envExample());

function write(file: string, text: string): void {
  writeFileSync(join(ROOT, file), text);
  console.log(`wrote ${file}`);
}
