import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '@slipway/log';
import pLimit from 'p-limit';

/** @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id */
const COST = { memory: 19 * 1024, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

const derive = promisify(argon2);
/** Each takes one of the few threads that files are read on too. */
const turn = pLimit(2);

/** What is kept of a password: argon2id in the PHC string format. */
export async function hashOfPassword(password: Secret): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return phc(salt, await tagOf(password, salt, COST));
}

/** @param hash null: of nobody; it takes as long, and is false */
export async function isPassword(password: Secret, hash: string | null): Promise<boolean> {
  const { cost, salt, tag } = read(hash ?? NOBODYS);
  const found = await tagOf(password, salt, cost);
  return timingSafeEqual(found, tag) && hash !== null;
}

const NOBODYS = phc(Buffer.alloc(SALT_BYTES), Buffer.alloc(TAG_BYTES));

function phc(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

function tagOf(password: Secret, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  const message = password.reveal().normalize('NFKC');
  return turn(() => derive('argon2id', { message, nonce: salt, ...cost, tagLength: TAG_BYTES }));
}

/** @see https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md */
function read(hash: string) {
  const [, memory, passes, parallelism, salt = '', tag = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash) ?? [];
  return {
    cost: {
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
