/** The SIP messages of a ladder as a pcap file, between the addresses of each leg. */
import { isIP } from 'node:net';
import type { Ladder, LadderEnd, LadderLeg, LadderRow } from './ladder.ts';
import { type PcapDatagram, type PcapEnd, writePcap } from './pcap.ts';

/** Documentation addresses (RFC 5737) stand where the address of a leg is not known. */
const UNKNOWN: Readonly<Record<LadderLeg, PcapEnd>> = {
  caller: { address: '192.0.2.1', port: 5060 },
  callee: { address: '192.0.2.2', port: 5060 },
};
const UNKNOWN_LOCAL: PcapEnd = { address: '192.0.2.254', port: 5060 };
const NOWHERE: PcapEnd = { address: '', port: 0 };
const DEFAULT_PORT = 5060;

/** Messages whose text the bound has taken are left out, as `droppedTexts` counts them. */
export function pcapLadder({ rows, ends }: Ladder): Buffer {
  return writePcap(rows.flatMap((row) => datagramOf(row, ends) ?? []));
}

function datagramOf(row: LadderRow, ends: readonly LadderEnd[]): PcapDatagram | undefined {
  const { kind, leg = 'caller', text, atMs, direction, wholeBytes } = row;
  if (kind !== 'sip' || text === undefined) return undefined;
  const end = endAt(ends, leg, atMs);
  const local = readEnd(end?.local, UNKNOWN_LOCAL);
  const remote = readEnd(row.remote ?? end?.remote, UNKNOWN[leg]);
  const [from, to] = direction === 'out' ? [local, remote] : [remote, local];
  return { atMs, from, to, payload: Buffer.from(text), wholeBytes };
}

/** A host name is what was known before the first answer came from its address. */
function endAt(ends: readonly LadderEnd[], leg: LadderLeg, atMs: number): LadderEnd | undefined {
  const ofLeg = ends.filter((end) => end.leg === leg);
  const end = ofLeg.findLast(({ sinceMs }) => sinceMs <= atMs) ?? ofLeg[0];
  if (end === undefined || hasAddress(end)) return end;
  return ofLeg.find((other) => other.name === end.name && hasAddress(other)) ?? end;
}

function hasAddress({ remote }: LadderEnd): boolean {
  return readEnd(remote, NOWHERE) !== NOWHERE;
}

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; a host name has no place in a packet. */
function readEnd(text: string | undefined, otherwise: PcapEnd): PcapEnd {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text ?? '');
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  return isIP(address) === 0 ? otherwise : { address, port };
}
