import { isIPv6 } from 'node:net';

const HEXTETS = 8;
const NETWORK_HEXTETS = 4;

/**
 * What requests without a key are counted under: an IPv4 address, or the /64 network of an IPv6 one,
 * since one line has that many addresses (RFC 6177 §2). Anything else, and no address, is one bucket.
 */
export function addressBucket(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, HEXTETS - before.length - after.length) }, () => '0');
  const hextets = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${hextets
    .slice(0, NETWORK_HEXTETS)
    .map((hextet) => Number.parseInt(hextet, 16).toString(16))
    .join(':')}::/64`;
}
