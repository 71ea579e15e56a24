/** From which of some sip-interfaces a place is reached. */
import { isIP } from 'node:net';
import type { SipInterface, Transport } from './config.ts';

/** The first that has the transport, preferably with an address of the family of the target. */
export function reachingInterface(
  candidates: readonly SipInterface[],
  { transport, host }: { readonly transport: Transport; readonly host: string },
): SipInterface | undefined {
  const family = isIP(host);
  const speakers = candidates.filter(({ sipPorts }) =>
    sipPorts.some((port) => port.transport === transport),
  );
  const sameFamily = speakers.find(({ sipPorts }) =>
    sipPorts.some((port) => port.transport === transport && isIP(port.address) === family),
  );
  return sameFamily ?? speakers[0];
}
