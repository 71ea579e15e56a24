/** Which addresses a webhook may have. */

import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * What is wrong with the address of a webhook.
 *
 * @param mayBePlain true: http is fine off loopback as well.
 */
export function webhookProblem(text: string, mayBePlain: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return `"${text}" is no URL`;
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return `"${text}" is neither https nor http`;
  }
  // They would stand in the log and in what the API shows of the configuration.
  if (url.username !== '' || url.password !== '') return 'credentials have no place in the URL';
  if (url.protocol === 'https:' || mayBePlain || isLoopback(url.hostname)) return undefined;
  return `"${text}" needs https, since its host is not loopback and insecure is not true`;
}

function isLoopback(hostname: string): boolean {
  // URL writes an IPv6 address in brackets.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(host);
  if (version === 0) return host === 'localhost' || host.endsWith('.localhost');
  return LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
}
