/** The network devices that carry our media addresses. */

import { isIPv4 } from 'node:net';
import { type AskIp, askIp, isRecord, parseIp } from './ip-command.ts';

export interface MediaDevices {
  /** Those of our media addresses. */
  readonly names: readonly string[];
  /** The numbers of all devices; one that is made again has another one. */
  readonly indexes: ReadonlyMap<string, number>;
}

/**
 * Devices of `addresses`, each once, whether or not their link is up; without the loopback device, which nothing
 * from another host comes by. `undefined`: `ip` did not say.
 */
export async function findMediaDevices(
  addresses: readonly string[],
  ask: AskIp = askIp,
): Promise<MediaDevices | undefined> {
  const devices = parseDevices(await ask('addr show\n'), addresses);
  return devices.indexes.size === 0 ? undefined : devices;
}

/** The same in what `ip -j addr show` prints. */
export function parseDevices(answer: string, addresses: readonly string[]): MediaDevices {
  const wanted = new Set<unknown>(addresses.filter((address) => isIPv4(address)));
  const names = new Set<string>();
  const indexes = new Map<string, number>();
  for (const device of parseIp(answer)) {
    const { ifname, ifindex, link_type: linkType, addr_info: entries } = device;
    if (typeof ifname !== 'string' || typeof ifindex !== 'number') continue;
    indexes.set(ifname, ifindex);
    if (linkType === 'loopback' || !Array.isArray(entries)) continue;
    const isOurs = entries.some((entry) => isRecord(entry) && wanted.has(entry['local']));
    if (isOurs) names.add(ifname);
  }
  return { names: [...names].toSorted(), indexes };
}

/** Whether media arrives by the same devices. */
export function isSameDevices(a: MediaDevices, b: MediaDevices): boolean {
  return identity(a) === identity(b);
}

function identity({ names, indexes }: MediaDevices): string {
  return names.map((name) => `${name} ${indexes.get(name)}`).join(', ');
}
