import { exec } from '@slipway/process';
import { WITHIN } from './settings.ts';

/**
 * Loads the rules that keep containers in their project's network, in place of those before, at once.
 * They name no project: the kernel knows from its routes which bridge an address is behind.
 */
export async function loadFirewall(table: string, bridgePrefix: string): Promise<void> {
  const input = `table inet ${table}\ndelete table inet ${table}\n${rules(table, bridgePrefix)}`;
  await exec('nft', ['-f', '-'], { input, ...WITHIN });
}

/**
 * The resolver is the agent's: one container's questions must not keep it from its work.
 *
 * Before what others filter (priority 0), and after connections are known (-200). To reject tells a
 * program at once what a drop would only let it guess.
 * @see nft(8), "FIB EXPRESSIONS"
 */
function rules(table: string, bridgePrefix: string): string {
  const ours = `"${bridgePrefix}*"`;
  return `table inet ${table} {
  set asking { type ipv4_addr; size 65535; flags dynamic; timeout 10s; }
  set connected { type ipv4_addr; size 65535; flags dynamic; }
  chain to_resolver {
    update @asking { ip saddr limit rate over 500/second burst 1000 packets } drop
    tcp flags & (syn | ack) == syn add @connected { ip saddr ct count over 20 } drop
    accept
  }
  chain from_containers {
    type filter hook prerouting priority -10; policy accept;
    iifname != ${ours} accept
    fib saddr . iif oif missing drop comment "an address of another's"
    fib daddr . iif type local meta l4proto { tcp, udp } th dport 53 goto to_resolver
    ct state established accept
    fib daddr . iif oif exists fib daddr type unicast accept comment "within one bridge"
    reject with icmpx admin-prohibited
  }
  chain to_containers {
    type filter hook forward priority -10; policy accept;
    oifname != ${ours} accept
    iifname ${ours} accept comment "has been looked at when it arrived"
    ct state established,related accept
    drop
  }
}
`;
}
