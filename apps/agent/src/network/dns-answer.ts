import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
} from 'dns-packet';

/** What a resolver knows. */
export interface Zone {
  addressesOf(name: string): readonly string[];
  nameOf(address: string): string | null;
}

/** @see RFC 1035, 4.1.1 */
const CODE = { ok: 0, malformed: 1, noSuchName: 3, notImplemented: 4, refused: 5 };
const QUERY = 0;
const OPCODE_BIT = 11;
const HEADER_BYTES = 12;
/** Who asks again may see another answer so much later. */
const TTL_S = 5;

/**
 * What a resolver answers to a message; null: nothing. What it does not know does not exist: it asks nobody.
 * @see RFC 1035, 4.1; RFC 2308, 2.2 for a name that is there without a record of the type
 */
export function answerTo(message: Buffer, zone: Zone): Buffer | null {
  if (message.length < HEADER_BYTES) return null;
  const query = decoded(message);
  if (query === null) {
    return encode({ type: 'response', id: message.readUInt16BE(0), flags: CODE.malformed });
  }
  if (query.type !== 'query') return null;
  const { id = 0, flags = 0, questions = [] } = query;
  const [question] = questions;
  const opcode = (flags >> OPCODE_BIT) & 0xf;
  const { code, answers } = solve(opcode, question, zone);
  return encode({
    ...{ type: 'response', id, questions, answers },
    // Go's resolver takes an answer without a record for a broken server unless it says these
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (flags & RECURSION_DESIRED) | code,
  });
}

function decoded(message: Buffer) {
  try {
    return decode(message);
  } catch {
    return null;
  }
}

interface Solution {
  code: number;
  answers: Answer[];
}

function solve(opcode: number, question: Question | undefined, zone: Zone): Solution {
  const none = (code: number): Solution => ({ code, answers: [] });
  if (opcode !== QUERY) return none(CODE.notImplemented);
  if (question === undefined) return none(CODE.malformed);
  const { name, type, class: space } = question;
  if (space !== 'IN' && space !== 'ANY') return none(CODE.refused);
  const record = { name, ttl: TTL_S } as const;
  const reverse = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/i.exec(name);
  if (reverse !== null) {
    const known = zone.nameOf(reverse.slice(1).toReversed().join('.'));
    if (known === null) return none(CODE.noSuchName);
    if (type !== 'PTR') return none(CODE.ok);
    return { code: CODE.ok, answers: [{ ...record, type: 'PTR', data: known }] };
  }
  const addresses = zone.addressesOf(name);
  if (addresses.length === 0) return none(CODE.noSuchName);
  if (type !== 'A') return none(CODE.ok);
  return { code: CODE.ok, answers: addresses.map((data) => ({ ...record, type: 'A', data })) };
}
