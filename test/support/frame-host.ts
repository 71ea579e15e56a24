/** Sends RTP in Ethernet frames of its own making, past this host's IP: what no socket of Node sends. */

import { readFileSync } from 'node:fs';
import { loadLibc } from '../../src/media/ffi/libc.ts';
import { serveJson } from './json-process.ts';
import { buildRtp } from './rtp-packet.ts';
import { sleep } from './wait-for.ts';

export interface FrameOrder {
  readonly device: string;
  readonly from: { readonly address: string; readonly port: number };
  /** A neighbour that this host has talked to. */
  readonly to: { readonly address: string; readonly port: number };
  readonly ssrc: number;
  /** Of the first; each of the next ones is one higher. */
  readonly sequenceNumber: number;
  readonly count: number;
  readonly ttl?: number;
  /** Of a VLAN tag; without it there is none. */
  readonly vlan?: number;
  /** Whether UDP has a checksum, or 0 in place of it. */
  readonly isChecked?: boolean;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const UDP = 17;
const VLAN_TYPE = 0x8100;
const IPV4_TYPE = 0x0800;
const INTERVAL_MS = 5;
const TICKS = 160;
const AUDIO = Buffer.alloc(TICKS, 0xd5);

const loaded = loadLibc();
if ('type' in loaded) throw new Error(loaded.reason);
const libc = loaded;

async function send(order: FrameOrder): Promise<null> {
  const socket = open(order.device);
  for (let index = 0; index < order.count; index += 1) {
    const frame = new Uint8Array(build(order, index));
    const sent = libc.write(socket, libc.addressOf(frame.buffer), BigInt(frame.length));
    if (sent !== frame.length) throw new Error(`frame not sent: ${libc.errorCode()}`);
    await sleep(INTERVAL_MS);
  }
  libc.close(socket);
  return null;
}

/** A socket for whole frames; bound by a `sockaddr_ll`. */
function open(device: string): number {
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setInt32(4, libc.interfaceIndex(device), true);
  const socket = libc.socket(AF_PACKET, SOCK_RAW, 0);
  if (socket < 0 || libc.bind(socket, libc.addressOf(address.buffer), address.byteLength) < 0) {
    throw new Error(`no socket on ${device}: ${libc.errorCode()}`);
  }
  return socket;
}

function build(order: FrameOrder, index: number): Buffer {
  const ends = [hardwareAddress(order.to.address), Buffer.from('020000000001', 'hex')];
  const tag = order.vlan === undefined ? [] : [VLAN_TYPE, order.vlan];
  return Buffer.concat([...ends, words(...tag, IPV4_TYPE), ipv4(order, udp(order, index))]);
}

function ipv4({ from, to, ttl = 64 }: FrameOrder, payload: Buffer): Buffer {
  const head = words(0x4500, 20 + payload.length, 0, 0x4000, (ttl << 8) | UDP, 0);
  const header = Buffer.concat([head, bytesOf(from.address), bytesOf(to.address)]);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

function udp(order: FrameOrder, index: number): Buffer {
  const { from, to, ssrc, isChecked = true } = order;
  const sequenceNumber = (order.sequenceNumber + index) % 65_536;
  const fields = { payloadType: 0, marker: false, timestamp: TICKS * sequenceNumber };
  const rtp = buildRtp({ ...fields, ssrc, sequenceNumber, payload: AUDIO });
  const datagram = Buffer.concat([words(from.port, to.port, 8 + rtp.length, 0), rtp]);
  const ends = [bytesOf(from.address), bytesOf(to.address), words(UDP, datagram.length)];
  const sum = checksum(Buffer.concat([...ends, datagram]));
  if (isChecked) datagram.writeUInt16BE(sum === 0 ? 0xffff : sum, 6);
  return datagram;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
}

function bytesOf(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** The sum of the internet protocols (RFC 1071), of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** As this host has learned it. */
function hardwareAddress(address: string): Buffer {
  const lines = readFileSync('/proc/net/arp', 'utf8').split('\n');
  const known = lines.find((line) => line.startsWith(`${address} `))?.split(/\s+/u)[3];
  if (known === undefined) throw new Error(`${address} is no neighbour`);
  return Buffer.from(known.replaceAll(':', ''), 'hex');
}

serveJson(
  ({ order }: { readonly order: FrameOrder }) => send(order),
  () => undefined,
);
