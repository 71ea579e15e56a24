/** The network devices that carry our media addresses. */

import { isIPv4 } from 'node:net';
import { type AskIp, askIp, isRecord, parseIp } from './ip-command.ts';

/**
 * Devices of `addresses`, each once, whether or not their link is up; without the loopback device, which nothing
 * from another host comes by.
 */
export async function findMediaDevices(
  addresses: readonly string[],
  ask: AskIp = askIp,
): Promise<string[]> {
  return parseDevices(await ask('addr show\n'), addresses);
}

/** The same in what `ip -j addr show` prints. */
export function parseDevices(answer: string, addresses: readonly string[]): string[] {
  const wanted = new Set<unknown>(addresses.filter((address) => isIPv4(address)));
  const names = new Set<string>();
  for (const { ifname, link_type: linkType, addr_info: entries } of parseIp(answer)) {
    if (typeof ifname !== 'string' || linkType === 'loopback' || !Array.isArray(entries)) continue;
    const isOurs = entries.some((entry) => isRecord(entry) && wanted.has(entry['local']));
    if (isOurs) names.add(ifname);
  }
  return [...names].toSorted();
}
