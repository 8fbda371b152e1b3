import { join } from 'node:path';
import { explainFullDisk } from './bootstrap/room.mjs';
import { auditVerify } from './commands/audit-verify.ts';
import { reset } from './commands/reset.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { instanceOf } from './instance.ts';

/* `npm start`, `npm stop` and the like: run.mjs comes here once all is installed. */

const COMMANDS = { start, stop, reset, status, 'audit:verify': auditVerify };

const [name = '', ...args] = process.argv.slice(2);
const command = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
if (command === undefined) throw new Error(`main.ts knows no command "${name}"`);
const instance = instanceOf(join(import.meta.dirname, '../..'));
process.exitCode = await command(instance, args).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(explainFullDisk(message, [instance.checkout, '/run', '/tmp', '/var']));
  return 1;
});
