/** The transports a SIP message can travel on. */
export type TransportProtocol = 'udp' | 'tcp' | 'tls';

/** An own address SIP is received on. Port 0 asks for an ephemeral one; the bound port is reported. */
export interface ListenPoint {
  readonly protocol: TransportProtocol;
  readonly address: string;
  readonly port: number;
}

/** The path a message travelled, and so the path on which its answer goes back. */
export interface Flow {
  readonly protocol: TransportProtocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Names the connection of a stream transport; absent for datagrams. */
  readonly connectionId?: number;
}

/** Where a message is to go. `address` is an IP address (IPv6 without brackets) or a host name. */
export interface Destination {
  readonly protocol: TransportProtocol;
  readonly address: string;
  readonly port: number;
  /** Prefer this open connection; a new one to the address is opened when it is gone. */
  readonly connectionId?: number;
  /** Ask the domain first which servers it has for these transports, in this order (SRV, RFC 3263 §4.1). */
  readonly services?: readonly TransportProtocol[];
  /** If this is one of the addresses found, it goes first: the peer of the dialog. */
  readonly preferred?: { readonly address: string; readonly port: number };
  /** Tried when nothing else is left: the open connection of a peer that names an address nobody can reach. */
  readonly lastResort?: {
    readonly address: string;
    readonly port: number;
    readonly connectionId: number;
  };
  /** Leaves from the listen point with this port, where there is one: a NAT lets nothing else through. */
  readonly localPort?: number;
  /** The transport was chosen by name: a large request does not change it. */
  readonly isTransportFixed?: boolean;
}
