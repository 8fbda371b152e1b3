import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { containersIn } from '../fixtures/containers.ts';
import { otherProject, pidOf, platform } from '../fixtures/platform.ts';

/* What a tenant's program can reach, tried from inside real containers. */

const own = containersIn(platform());
let foreign: ReturnType<typeof containersIn>;
beforeAll(async () => {
  foreign = containersIn(await otherProject('neighbours'));
});

/** Says its address and answers `hello` on port 80 to whoever reaches it. */
const SERVER = `ip -o -4 address show eth0 | sed 's/.* inet \\([0-9.]*\\).*/address \\1/'
mkdir -p /www; echo hello > /www/index.html; httpd -p 80 -h /www
trap exit TERM; while :; do sleep 0.1; done`;

async function serve(containers: typeof own, more: object = {}) {
  const container = await containers.sh(SERVER, more);
  await containers.untilItSays(container, 'address');
  const address = /address (\S+)/.exec(await containers.logs(container))?.[1] ?? '';
  return { container, address };
}

/** What a new container gets from each: `hello`, or nothing. */
async function fetchFrom(containers: typeof own, ...urls: string[]): Promise<string[]> {
  const asking = await containers.sh(
    `for url in ${urls.join(' ')}; do wget -q -O- $url 2>/dev/null || echo unreachable; done`,
  );
  await containers.ended(asking);
  const said = await containers.logs(asking);
  await containers.remove(asking);
  return said.trim().split('\n');
}

let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  server = await serve(own);
});
afterAll(async () => {
  await own.remove(server.container);
});

test('a container is reached by its own project, and by no other', async () => {
  expect(await fetchFrom(own, `http://${server.address}`)).toEqual(['hello']);
  expect(await fetchFrom(foreign, `http://${server.address}`)).toEqual(['unreachable']);
});

test('a container is found by its name in its own project, as long as it runs', async () => {
  const [{ container }, foreigner] = [
    await serve(own, { name: 'Web.1' }),
    await serve(foreign, { name: 'only-there' }),
  ];
  const short = container.engineId.slice(0, 12);
  expect(await fetchFrom(own, 'http://web.1', `http://${short}`)).toEqual(['hello', 'hello']);
  expect(await fetchFrom(own, 'http://only-there', 'http://example.com')).toEqual([
    ...['unreachable', 'unreachable'],
  ]);
  expect(await fetchFrom(foreign, 'http://web.1', 'http://only-there')).toEqual([
    ...['unreachable', 'hello'],
  ]);
  await own.stop(container, 0);
  await own.ended(container);
  expect(await fetchFrom(own, 'http://web.1')).toEqual(['unreachable']);
  await own.start(container);
  const answer = () => fetchFrom(own, 'http://web.1');
  await expect.poll(answer, { timeout: 60_000 }).toEqual(['hello']);
  await own.remove(container);
  await foreign.remove(foreigner.container);
});

test('names are known again to an agent that was killed; other programs resolve them as busybox does', async () => {
  const { container, address } = await serve(own, { name: 'lasting' });
  const before = pidOf('agent');
  process.kill(before, 'SIGKILL');
  await expect.poll(() => pidOf('agent'), { timeout: 60_000 }).not.toBe(before);
  const script = `const dns = require('dns').promises;
    (async () => {
      for (;;) try {
        const { address } = await dns.lookup('lasting');
        const missing = await dns.lookup('missing').catch(({ code }) => code);
        const resolved = await dns.resolve4('LASTING');
        return console.log(address, missing, resolved[0], await dns.reverse(address));
      } catch { await new Promise((done) => setTimeout(done, 100)); }
    })();`;
  const asking = await own.create({ image: 'node', command: ['node', '-e', script] });
  await own.ended(asking);
  expect(await own.logs(asking)).toBe(`${address} ENOTFOUND ${address} [ 'lasting' ]\n`);
  await own.remove(container);
});

test('a container knows itself, and its files in /etc are its own to change until its next run', async () => {
  const made = await own.sh(
    'cat /etc/hosts /etc/resolv.conf; cat /etc/hostname; hostname; ping -c1 -w1 $(hostname) >/dev/null && echo reached; echo mine > /etc/hosts; chmod 0 /etc/resolv.conf; cat /etc/hosts',
  );
  for (const generation of [1, 2]) {
    expect(await own.ended(made, generation)).toMatchObject({ exitCode: 0 });
    if (generation === 1) await own.start(made);
  }
  const said = await own.logs(made);
  const short = made.engineId.slice(0, 12);
  const once = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
ADDRESS\t${short}
nameserver GATEWAY
options ndots:0
${short}
${short}
reached
mine
`;
  const known = said
    .replace(/10\.\d+\.\d+\.1$/gm, 'GATEWAY')
    .replace(/10\.\d+\.\d+\.\d+/g, 'ADDRESS');
  expect(known).toBe(once + once);
});

test('the node is not reached, nor what listens on it, nor its cloud’s metadata', async () => {
  const gateway = server.address.replace(/\d+$/, '1');
  const listener = createServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello\n'));
  await new Promise<void>((done) => listener.listen(0, gateway, done));
  const { port } = listener.address() as { port: number };
  const { api, registry } = platform();
  // where PostgreSQL and Redis listen, if not in files: sockets with names that no folder has
  const asking = await own.sh('tail -n +2 /proc/net/unix | wc -l');
  await own.ended(asking);
  expect(await own.logs(asking)).toBe('0\n');
  const urls = [`http://${gateway}:${port}`, api, `http://${registry}`, 'http://169.254.169.254'];
  try {
    expect(await (await fetch(`http://${gateway}:${port}`)).text()).toBe('hello\n');
    expect(await fetchFrom(own, ...urls)).toEqual(urls.map(() => 'unreachable'));
    expect(await fetchFrom(foreign, ...urls)).toEqual(urls.map(() => 'unreachable'));
  } finally {
    listener.close();
  }
});

test('an address is a container’s from run to run', async () => {
  const { container, address } = await serve(own);
  await own.stop(container);
  await own.ended(container);
  await own.start(container);
  await own.wait(container, 'running', 2);
  const answer = () => fetchFrom(own, `http://${address}`);
  await expect.poll(answer, { timeout: 60_000 }).toEqual(['hello']);
  await own.remove(container);
});

test('who is nobody special may listen on a low port; an address cannot be changed', async () => {
  const made = await own.sh(
    `httpd -p 80 && echo listens
    ip address add 10.250.0.1 dev eth0 || echo no new address
    cat /proc/net/if_inet6 | grep -c eth0`,
    { user: '1000' },
  );
  await own.ended(made);
  const said = await own.logs(made);
  expect(said).toContain('listens');
  expect(said).toContain('no new address');
  expect(said).toMatch(/^0$/m); // of IPv6, which has no rules of its own here
});

test('a container has the same addresses in each run, so that no neighbour looks for it elsewhere', async () => {
  const made = await own.sh('ip -o address show eth0; cat /sys/class/net/eth0/address');
  await own.ended(made);
  const first = await own.logs(made);
  await own.start(made);
  await own.ended(made, 2);
  const second = (await own.logs(made)).slice(first.length);
  const words = (said: string) => said.match(/inet \S+|02:42(:[0-9a-f]{2}){4}/g);
  expect(words(first)).toHaveLength(2);
  expect(words(second)).toEqual(words(first));
});
