/**
 * What is said to nft: the table that forwards, the elements of a flow, and what nft answers.
 *
 *   packet
 *     -> of a VLAN: to its socket, or to the device of the VLAN
 *     -> a fragment, with options, a low TTL, without a UDP checksum, or one in 64: to its socket
 *     -> gates: not for an address and port of ours that a flow arrives at: to its socket
 *     -> legs: source, source port, our port, RTP bytes 0 and 1, SSRC known: the number of the flow
 *     -> carry: addresses and ports of the flow written, to the next hop
 *     -> otherwise to its socket
 *
 * The table ends with the process that made it (`flags owner`), and does nothing unless its lease is renewed.
 * A key has no more than five parts: so RTP bytes and SSRC stand in priority and mark of the packet while it is
 * looked for, as numbers of this machine. They are 0 again for whatever goes on to a socket.
 *
 * What goes by its socket can be overtaken by the packet behind it when the thread is busy for longer than a packet
 * lasts. The kernel keeps the sender's DSCP and sends with its TTL less one: so there is a floor to it, that a packet
 * does not come further by the thread than by the kernel. It writes a UDP checksum anew even where there is none.
 *
 * Text, not JSON: lists come with one element a line, and can be read in pieces.
 */

/** One flow as the kernel is told of it. IPv4 only. */
export interface KernelFlow {
  readonly id: number;
  readonly source: Endpoint;
  /** Our end that it arrives at. */
  readonly receiver: Endpoint;
  /** Our end that it leaves from. */
  readonly sender: Endpoint;
  readonly destination: Endpoint;
  /** The first two bytes of its packets. */
  readonly head: number;
  readonly ssrc: number;
  readonly hop: NextHop;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The neighbour on the way to the destination. */
export interface NextHop {
  readonly address: string;
  readonly device: string;
}

export interface TableOptions {
  readonly name: string;
  /** That media arrives on. */
  readonly devices: readonly string[];
  readonly leaseSeconds: number;
}

/** What tables of this program are called, with something of their own behind it. */
export const TABLE_PREFIX = 'tonebridge_';

/** Reading one of the maps holds up everything else: so there are many small ones. */
export const SHARDS = 32;

/** Longest packet that is forwarded: shorter than what any device takes. */
const MAX_PACKET_BYTES = 1280;
/** IP, UDP and RTP header. */
const MIN_PACKET_BYTES = 40;

/** Bytes of IPv4 and UDP header, which the kernel counts as well. */
const HEADER_BYTES = 28;

/** Of a packet that is forwarded: enough for the routers behind. */
const MIN_TTL = 32;

const FLOW_MAPS = ['sport', 'dport', 'saddr', 'daddr', 'hop', 'out'] as const;

/** Which of the maps has the flows that arrive at `port`. */
export function shardOf(port: number): number {
  return (port >> 1) % SHARDS;
}

/** The commands that make the table, empty. */
export function tableText({ name, devices, leaseSeconds }: TableOptions): string {
  const of = `netdev ${name}`;
  const shards = Array.from({ length: SHARDS }, (_, shard) => `legs${shard}`);
  const jumps = shards.map((legs, shard) => `${shard * 2} : goto ${legs}`).join(', ');
  const hooks = devices.map((device) => `"${device}"`).join(', ');
  return [
    `add table ${of} { flags owner; }`,
    `add set ${of} alive { type inet_proto; flags timeout; elements = { udp timeout ${leaseSeconds}s }; }`,
    ...shards.map(
      (legs) =>
        `add map ${of} ${legs} { typeof ip saddr . udp sport . udp dport . meta priority . meta mark : meta mark; counter; }`,
    ),
    `add map ${of} sport { typeof meta mark : udp sport; }`,
    `add map ${of} dport { typeof meta mark : udp dport; }`,
    `add map ${of} saddr { typeof meta mark : ip saddr; }`,
    `add map ${of} daddr { typeof meta mark : ip daddr; }`,
    `add map ${of} hop { typeof meta mark : ip daddr; }`,
    `add map ${of} out { typeof meta mark : meta oif; }`,
    `add chain ${of} carry`,
    `add rule ${of} carry ${CARRY}`,
    // Half rewritten it must not go on to anybody.
    `add rule ${of} carry drop`,
    ...shards.flatMap((legs) => [
      `add chain ${of} ${legs}`,
      `add rule ${of} ${legs} ${FIND} map @${legs} goto carry`,
      `add rule ${of} ${legs} meta priority set 0 meta mark set 0 accept`,
    ]),
    `add set ${of} gates { typeof ip daddr . udp dport; }`,
    `add chain ${of} media { type filter hook ingress devices = { ${hooks} } priority 0; policy accept; }`,
    // Here the tag is beside the packet, and would go on with it to the other side.
    `add rule ${of} media ether type { 8021q, 8021ad } accept`,
    `add rule ${of} media ${SORT} ip daddr . udp dport @gates udp dport & ${2 * SHARDS - 2} vmap { ${jumps} }`,
  ].join('; ');
}

/** Whole packets of a plain stream that came to us alone, and not those that the worker is to see. */
const SORT = [
  'ip protocol udp meta pkttype host',
  `ip hdrlength 5 ip ttl >= ${MIN_TTL} ip frag-off & 0x3fff == 0`,
  `ip length ${MIN_PACKET_BYTES}-${MAX_PACKET_BYTES}`,
  'udp checksum != 0 @th,90,6 != 0',
].join(' ');

const FIND = [
  'ip protocol @alive',
  'meta priority set @th,64,32 & 0xffff0000 meta mark set @th,128,32',
  'meta mark set ip saddr . udp sport . udp dport . meta priority . meta mark',
].join(' ');

/** `fwd` takes one from the TTL. */
const CARRY = [
  'meta priority set 0',
  'udp sport set meta mark map @sport udp dport set meta mark map @dport',
  'ip saddr set meta mark map @saddr ip daddr set meta mark map @daddr',
  'fwd ip to meta mark map @hop device meta mark map @out',
].join(' ');

/** Whether this machine has the lowest byte of a number first. */
export type ByteOrder = 'LE' | 'BE';

/** Puts a flow into the table, whole or not at all. */
export function carryText(table: string, flow: KernelFlow, order: ByteOrder): string {
  const { id, receiver, sender, destination, hop } = flow;
  const values: Record<(typeof FLOW_MAPS)[number], string> = {
    sport: `${sender.port}`,
    dport: `${destination.port}`,
    saddr: sender.address,
    daddr: destination.address,
    hop: hop.address,
    out: `"${hop.device}"`,
  };
  const legs = `legs${shardOf(receiver.port)}`;
  return [
    ...FLOW_MAPS.map((map) => `add element netdev ${table} ${map} { ${id} : ${values[map]} }`),
    `add element netdev ${table} ${legs} { ${keyOf(flow, order)} : ${id} }`,
    `add element netdev ${table} gates { ${gateOf(flow)} }`,
  ].join('; ');
}

/**
 * Takes flows out of the table. First nothing reaches them any more, then their counters are said, which nothing
 * changes any more, then they are forgotten.
 */
export function releaseText(table: string, flows: readonly KernelFlow[], order: ByteOrder): string {
  const of = `element netdev ${table}`;
  const shards = new Set(flows.map(({ receiver }) => shardOf(receiver.port)));
  const gates = flows.map((flow) => `delete ${of} gates { ${gateOf(flow)} }`);
  const rest = flows.flatMap((flow) => [
    `delete ${of} legs${shardOf(flow.receiver.port)} { ${keyOf(flow, order)} }`,
    ...FLOW_MAPS.map((map) => `delete ${of} ${map} { ${flow.id} }`),
  ]);
  const reads = [...shards].map((shard) => readText(table, shard));
  return [gates.join('; '), ...reads, rest.join('; ')].join('\n');
}

/** Lets the table work for another while, whether or not its lease is over. */
export function leaseText(table: string, leaseSeconds: number): string {
  const of = `element netdev ${table} alive`;
  return `add ${of} { udp }; delete ${of} { udp }; add ${of} { udp timeout ${leaseSeconds}s }`;
}

/** Asks for the counters of one of the maps. */
export function readText(table: string, shard: number): string {
  return `list map netdev ${table} legs${shard}`;
}

export interface FlowCount {
  readonly id: number;
  readonly packets: number;
  /** Of RTP, without the headers around it. */
  readonly bytes: number;
}

const COUNTED = /counter packets (\d+) bytes (\d+) : 0x([0-9a-f]{8})/gu;

/** The counters in an answer of nft. */
export function parseCounts(answer: string): FlowCount[] {
  return [...answer.matchAll(COUNTED)].map(([, packets = '', bytes = '', id = '']) => ({
    id: Number.parseInt(id, 16),
    packets: Number(packets),
    bytes: Math.max(0, Number(bytes) - HEADER_BYTES * Number(packets)),
  }));
}

/** The first complaint in an answer of nft. */
export function parseComplaint(answer: string): string | undefined {
  return /^(?:.*: )?Error: (.*)$/mu.exec(answer)?.[1];
}

/** Our own end that the flow arrives at. */
function gateOf({ receiver }: KernelFlow): string {
  return `${receiver.address} . ${receiver.port}`;
}

/** Source, source port, our port, first bytes and SSRC, the last two as a register of this machine has them. */
function keyOf({ source, receiver, head, ssrc }: KernelFlow, order: ByteOrder): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(head, 0);
  bytes.writeUInt32BE(ssrc, 4);
  const [first, second] =
    order === 'LE'
      ? [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
      : [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  return `${source.address} . ${source.port} . ${receiver.port} . 0x${first.toString(16)} . 0x${second.toString(16)}`;
}
