import type { ConnectionOptions, ReceivedRequest, SipConnection } from './sip-connection.ts';

/** One server connection and the sip-interfaces behind it; several only with a shared drachtio-server. */
export interface StackConnection {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly interfaces: readonly StackInterface[];
  /** Via and Route of ours are sent as they are: an INVITE that a lost server has sent can be repeated, a BYE routed. */
  readonly keepsBranch?: boolean;
  /** Opens the connection; default: to a drachtio server, real or embedded. */
  readonly connect?: (options: ConnectionOptions) => Promise<SipConnection>;
}

export interface StackInterface {
  readonly name: string;
  /** Local `address:port` pairs of the interface, to tell interfaces of a shared server apart. */
  readonly hostports: readonly string[];
}

/** Name of the interface that a new request arrived on. */
export function interfaceOf(
  interfaces: readonly StackInterface[],
  request: ReceivedRequest,
): string {
  const { receivedOn } = request;
  const match = interfaces.find(
    (item) => receivedOn !== undefined && item.hostports.includes(receivedOn),
  );
  return (match ?? interfaces[0])?.name ?? '';
}
