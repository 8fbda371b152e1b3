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
 * Before what others filter (priority 0), and after connections are known (-200). To reject tells a
 * program at once what a drop would only let it guess.
 * @see nft(8), "FIB EXPRESSIONS"
 */
function rules(table: string, bridgePrefix: string): string {
  const ours = `"${bridgePrefix}*"`;
  return `table inet ${table} {
  chain from_containers {
    type filter hook prerouting priority -10; policy accept;
    iifname != ${ours} accept
    fib saddr . iif oif missing drop comment "an address of another's"
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
