/** Warns at the start of media port ranges that will not do. */
import type { Realm } from './config/config.ts';
import { checkPortRange } from './media/port-range-check.ts';
import type { Log } from './observe/log.ts';

const TEXTS = {
  'address-unavailable': 'media address of the realm is not local',
  'ports-taken': 'media ports of the realm are held by another program',
  'overlaps-local-ports': 'media ports of the realm overlap ip_local_port_range',
} as const;

export async function warnOfPorts(realms: readonly Realm[], log: Log): Promise<void> {
  for (const { name, media } of realms) {
    const { address, portMin, portMax } = media;
    for (const finding of await checkPortRange(media)) {
      const { type, ...details } = finding;
      log.warn({ realm: name, address, portMin, portMax, ...details }, TEXTS[type]);
    }
  }
}
