/**
 * Whether Zendesk can call the gateway at an address. It calls https only, from the internet, so an address of
 * this machine or of a private network is none. A Zendesk on this machine, which is a simulator, reaches what is
 * beside it.
 */
import { BlockList, isIP } from 'node:net';

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}
/** Names that no public resolver knows (RFC 6761, RFC 6762, and what is kept for private use). */
const PRIVATE_NAME = /^(?:[^.]+|(?:.+\.)?(?:localhost|local|internal|test|example|invalid|home\.arpa))$/;

/** Where Zendesk is to call for an integration. */
export function webhookEndpoint(publicUrl: string, integrationId: string): string {
  return `${publicUrl}/webhooks/zendesk/${integrationId}`;
}

/** Whether a Zendesk at `zendeskOrigin` can call `publicUrl`. */
export function isReachableBy(zendeskOrigin: string, publicUrl: string): boolean {
  const url = URL.parse(publicUrl);
  if (url === null) return false;
  if (isLoopback(hostOf(new URL(zendeskOrigin)))) return true;
  return url.protocol === 'https:' && !isPrivate(hostOf(url));
}

/** Without the brackets of an IPv6 address and the dot that may end a name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isPrivate(host: string): boolean {
  switch (isIP(host)) {
    case 4:
      return PRIVATE.check(host, 'ipv4');
    case 6:
      return PRIVATE.check(host, 'ipv6');
    default:
      return PRIVATE_NAME.test(host);
  }
}
