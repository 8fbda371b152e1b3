import { mkdirSync } from 'node:fs';
import { createLogger } from '@slipway/log';
import { exec } from '@slipway/process';
import { Names } from './names.ts';
import { NodeNetwork } from './node-network.ts';
import { Resolver } from './resolver.ts';

/*
 * A node's network, tried out. Run in a network namespace of its own, which is the "machine" then, and
 * a mount namespace of its own; what it found is one line of JSON. Arguments: a folder, the folder of
 * the CNI plugins.
 */

const [folder = '', pluginsDir = ''] = process.argv.slice(2);
const OUTSIDE = '192.0.2.2';
const inSubnet = (index: number, host: number) => ({
  ...{ subnetId: `sub_${index}`, index, prefixLength: 24, names: [`host${host}`] },
  ...{ gateway: `10.9.${index}.1`, address: `10.9.${index}.${host}` },
});

const run = async (...[command = '', ...args]: string[]) => (await exec(command, args)).stdout;
const inside = (namespace: string, ...command: string[]) =>
  run('nsenter', `--net=${folder}/${namespace}`, ...command);

/** The machine forwards, and has a way out to somebody who knows the way back. */
async function makeMachine(): Promise<void> {
  await run('mount', '-t', 'tmpfs', 'none', folder);
  await run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await run('ip', 'link', 'set', 'lo', 'up');
  await run('touch', `${folder}/outside`);
  await run('unshare', `--net=${folder}/outside`, 'ip', 'link', 'set', 'lo', 'up');
  const peer = ['peer', 'name', 'eth0', 'netns', `${folder}/outside`];
  await run('ip', 'link', 'add', 'out', 'type', 'veth', ...peer);
  await run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'out');
  await run('ip', 'link', 'set', 'out', 'up');
  await inside('outside', 'ip', 'address', 'add', `${OUTSIDE}/24`, 'dev', 'eth0');
  await inside('outside', 'ip', 'link', 'set', 'eth0', 'up');
  await inside('outside', 'ip', 'route', 'add', 'default', 'via', '192.0.2.1');
}

async function answers(from: string | null, to: string, ...options: string[]): Promise<boolean> {
  const ping = ['busybox', 'ping', '-c', '1', '-W', '3', ...options, to];
  const command = from === null ? ping : ['nsenter', `--net=${folder}/${from}`, ...ping];
  const { code } = await exec(command[0] ?? '', command.slice(1), { allowFailure: true });
  return code === 0;
}

async function pingsSeenBy(namespace: string): Promise<number> {
  const [names = '', values = ''] = (await inside(namespace, 'cat', '/proc/net/snmp'))
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'));
  return Number(values.split(' ')[names.split(' ').indexOf('InEchos')]);
}

/** Whether a resolver says where `host3` is. */
async function resolves(from: string, server: string, protocol: 'udp' | 'tcp'): Promise<boolean> {
  const script = `
    const { streamDecode, streamEncode, encode, decode } = require('dns-packet');
    const query = { type: 'query', id: 1, questions: [{ name: 'host3', type: 'A' }] };
    const show = ({ answers }) => { console.log(answers[0]?.data); process.exit(0); };
    setTimeout(() => process.exit(1), 3000);
    if ('${protocol}' === 'tcp') {
      const socket = require('net').connect(53, '${server}', () => socket.write(streamEncode(query)));
      socket.on('data', (data) => show(streamDecode(data))).on('error', () => process.exit(1));
    } else {
      const socket = require('dgram').createSocket('udp4');
      socket.on('message', (data) => show(decode(data))).send(encode(query), 53, '${server}');
    }`;
  const command = [`--net=${folder}/${from}`, process.execPath, '-e', script];
  return (await exec('nsenter', command, { allowFailure: true })).stdout === '10.9.0.3\n';
}

/** Who can be reached from `a`, and who reaches it. */
async function whatIsReached() {
  const before = await pingsSeenBy('b');
  const asked = {
    neighbour: answers('a', '10.9.0.3'),
    otherProject: answers('a', '10.9.1.2'),
    node: answers('a', '10.9.0.1'),
    nodeElsewhere: answers('a', '192.0.2.1'),
    outside: answers('a', OUTSIDE),
    resolver: resolves('a', '10.9.0.1', 'udp'),
    resolverByTcp: resolves('a', '10.9.0.1', 'tcp'),
    otherResolver: resolves('c', '10.9.0.1', 'udp'),
    fromNode: answers(null, '10.9.0.2'),
    fromOutside: answers('outside', '10.9.0.2'),
  };
  const forged = answers('a', '10.9.0.3', '-I', '10.9.1.9'); // whose answer goes elsewhere
  const names = Object.keys(asked);
  const reached = (await Promise.all(Object.values(asked))).map((isReached, index) =>
    isReached ? names[index] : [],
  );
  await forged;
  const seen = (await pingsSeenBy('b')) - before; // the neighbour's own is one of them
  return [...reached.flat(), ...(seen > 1 ? ['neighbour, by a forged address'] : [])];
}

mkdirSync(folder, { recursive: true });
await makeMachine();
const settings = {
  ...{ namespacesDir: folder, pluginsDir },
  ...{ bridgePrefix: 'slt-', table: 'slipway_t' },
};
const log = createLogger({ name: 'test', level: 'error' });
const endpoint = { engineId: 'b', names: ['host3'], address: '10.9.0.3', gateway: '10.9.0.1' };
const bridges = async () =>
  (await run('ip', '-o', 'link', 'show', 'type', 'bridge')).match(/slt-\d/g);

type Where = ReturnType<typeof inSubnet>;
const attach = async (to: NodeNetwork, name: string, where: Where): Promise<void> => {
  await to.open(name);
  await to.attach(name, where);
};

const network = await NodeNetwork.begin(settings, log);
await Promise.all([
  attach(network, 'a', inSubnet(0, 2)),
  attach(network, 'b', inSubnet(0, 3)),
  attach(network, 'c', inSubnet(1, 2)),
]);
await attach(network, 'b', inSubnet(0, 3)); // as after a killed start
await inside('a', 'ip', 'address', 'add', '10.9.1.9', 'dev', 'lo');
const withRules = await whatIsReached();
await network.close();
await run('nft', 'flush', 'ruleset');
const names = new Names();
names.add(endpoint);
const resolver = new Resolver(names, log);
await resolver.open(endpoint.gateway);
const withoutRules = await whatIsReached();
await resolver.closeAll();

const again = await NodeNetwork.begin(settings, log, [endpoint]);
const putBack = await whatIsReached();
const used = await bridges();
// a project's index may be given to another once nobody of it is left, and not before
const taken = { ...inSubnet(1, 2), subnetId: 'sub_other' };
const refused = await attach(again, 'd', taken).catch((error: Error) => error.message);
for (const name of ['a', 'b', 'c', 'c']) await again.detach(name);
await attach(again, 'd', taken);
await again.close();
const last = await NodeNetwork.begin(settings, log);
await last.close(); // after it has tended once
const left = await bridges();
const namespaces = (await run('ls', folder)).trim().split('\n');
console.log(JSON.stringify({ withRules, withoutRules, putBack, used, refused, left, namespaces }));
