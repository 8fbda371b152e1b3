/**
 * As Docker derives one: locally administered, and as unique as the address. The same for every run of
 * a container: neighbours remember for half a minute which one an address has.
 */
export function hardwareAddress(ipv4: string): string {
  const bytes = ipv4.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}
