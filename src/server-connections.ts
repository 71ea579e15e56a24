/** The connections to drachtio-servers that run beside the SBC. */
import type { Config, SipInterface } from './config/config.ts';
import type { StackConnection } from './sip/stack-connection.ts';

/** Interfaces with a server of their own get a connection each, the others share `sip.drachtio`. */
export function serverConnections(config: Config): readonly StackConnection[] {
  const connections: StackConnection[] = [];
  const sharing: SipInterface[] = [];
  for (const item of config.sipInterfaces) {
    if (item.drachtio === undefined) sharing.push(item);
    else connections.push({ ...item.drachtio, interfaces: [stackInterface(item)] });
  }
  const shared = config.sip.drachtio;
  if (sharing.length > 0 && shared !== undefined) {
    connections.push({ ...shared, interfaces: sharing.map((item) => stackInterface(item)) });
  }
  return connections;
}

function stackInterface(item: SipInterface): StackConnection['interfaces'][number] {
  const hostports = item.sipPorts.map(({ address, port }) => `${address}:${port}`);
  return { name: item.name, hostports };
}
