import { decode, encode, type Question, RECURSION_DESIRED } from 'dns-packet';
import { expect, test } from 'vitest';
import { answerTo } from './dns-answer.ts';
import { Names } from './names.ts';

const names = new Names();
const inSubnet = { gateway: '10.9.0.1' };
names.add({ ...inSubnet, engineId: 'a', address: '10.9.0.2', names: ['Web.1', 'aaaaaaaaaaaa'] });
names.add({ ...inSubnet, engineId: 'b', address: '10.9.0.3', names: ['db', 'bbbbbbbbbbbb'] });
names.add({ engineId: 'c', gateway: '10.9.1.1', address: '10.9.1.2', names: ['db', 'cache'] });
const zoneOf = (gateway: string) => ({
  addressesOf: (name: string) => names.addressesOf(gateway, name),
  nameOf: (address: string) => names.nameOf(gateway, address),
});
const zone = zoneOf('10.9.0.1');

const query = (question: Partial<Question>, flags = RECURSION_DESIRED) =>
  encode({
    ...{ type: 'query', id: 4711, flags },
    questions: [{ name: 'db', type: 'A', class: 'IN', ...question } as Question],
  });

function ask(message: Buffer, of = zone) {
  const answer = answerTo(message, of);
  if (answer === null) throw new Error('no answer');
  const { id, rcode, answers, questions, flag_ra, flag_rd } = decode(answer) as ReturnType<
    typeof decode
  > & { rcode: string };
  const data = answers?.map((one) => ('data' in one ? one.data : null));
  return { id, rcode, data, name: questions?.[0]?.name, flag_ra, flag_rd };
}

test('a name is found in its own subnet, however its letters are written', () => {
  const found = { id: 4711, rcode: 'NOERROR', flag_ra: true, flag_rd: true };
  expect(ask(query({}))).toMatchObject({ ...found, data: ['10.9.0.3'] });
  expect(ask(query({ name: 'wEB.1' }))).toMatchObject({ data: ['10.9.0.2'], name: 'wEB.1' });
  expect(ask(query({ name: 'bbbbbbbbbbbb' }))).toMatchObject({ data: ['10.9.0.3'] });
  expect(ask(query({}), zoneOf('10.9.1.1'))).toMatchObject({ data: ['10.9.1.2'] });
  const none = { rcode: 'NXDOMAIN', data: [] };
  expect(ask(query({ name: 'cache' }))).toMatchObject(none);
  expect(ask(query({ name: 'example.com' }))).toMatchObject(none);
  expect(ask(query({}), zoneOf('10.9.2.1'))).toMatchObject(none);
});

test('a name that has no record of the type asked for is there all the same', () => {
  for (const type of ['AAAA', 'MX', 'UNKNOWN_65'] as Question['type'][]) {
    expect(ask(query({ type }))).toMatchObject({ rcode: 'NOERROR', data: [] });
  }
});

test('an address has the name of who is there', () => {
  const reverse = (name: string) => ask(query({ name, type: 'PTR' }));
  expect(reverse('2.0.9.10.in-addr.arpa')).toMatchObject({ rcode: 'NOERROR', data: ['Web.1'] });
  expect(reverse('2.1.9.10.in-addr.arpa')).toMatchObject({ rcode: 'NXDOMAIN' });
});

test('who is gone is not found', () => {
  const some = new Names();
  some.add({ ...inSubnet, engineId: 'x', address: '10.9.0.9', names: ['x'] });
  some.remove('x');
  some.remove('never was');
  expect(some.addressesOf(inSubnet.gateway, 'x')).toEqual([]);
});

test('what is no question is refused, and what is no message is not answered', () => {
  const update = 5 << 11;
  expect(ask(query({}, update))).toMatchObject({ rcode: 'NOTIMP' });
  expect(ask(query({ class: 'CH' }))).toMatchObject({ rcode: 'REFUSED' });
  expect(ask(encode({ type: 'query', id: 4711 }))).toMatchObject({ rcode: 'FORMERR' });
  const loop = query({});
  loop.writeUInt16BE(0xc00c, 12); // a name that is where it is
  expect(ask(loop)).toMatchObject({ id: 4711, rcode: 'FORMERR' });
  expect(ask(query({}).subarray(0, 14))).toMatchObject({ rcode: 'FORMERR' });
  expect(answerTo(Buffer.alloc(3), zone)).toBeNull();
  expect(answerTo(encode({ type: 'response', id: 1 }), zone)).toBeNull();
});

test('whatever the bytes, nothing is thrown', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 5_000; round++) {
    const bytes = Buffer.from(query({ name: 'a.b.c' }));
    for (let changes = random() % 6; changes >= 0; changes--) {
      bytes[random() % bytes.length] = random() % 256;
    }
    expect(() => answerTo(bytes.subarray(0, random() % (bytes.length + 1)), zone)).not.toThrow();
  }
});
