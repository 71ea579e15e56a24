/**
 * The program behind `Flood`: sends one method as fast as asked for and tells how much it sent as one line of JSON.
 * `node flood-sender.ts '{"method":"OPTIONS","target":{…},"perSecond":20000,"seconds":60,"sources":["127.0.0.66"]}'`
 */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { buildSdp } from './sdp-text.ts';
import type { FloodOrder, FloodResult } from './flood.ts';

/** Takes one message; false when the system took none. */
type Send = (bytes: Buffer) => boolean;

/** Digits of the counter that makes each message a new transaction and call. */
const COUNTER_DIGITS = 12;
const TICK_MS = 2;
/** Messages are patched in place, so one must have left before its buffer comes round again. */
const BUFFERS = 4096;
/** What may wait in our own memory on one connection. */
const MAX_QUEUED_BYTES = 262_144;

/** One message with the places of its counter. */
class Template {
  readonly #buffers: Buffer[];
  readonly #places: readonly number[];
  #count = 0;

  constructor(text: string) {
    const mark = '#'.repeat(COUNTER_DIGITS);
    const bytes = Buffer.from(text);
    const places: number[] = [];
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at);
    this.#places = places;
    this.#buffers = Array.from({ length: BUFFERS }, () => Buffer.from(bytes));
  }

  next(): Buffer {
    this.#count += 1;
    const bytes = this.#buffers[this.#count % BUFFERS] ?? Buffer.alloc(0);
    const digits = String(this.#count).padStart(COUNTER_DIGITS, '0');
    for (const place of this.#places) bytes.write(digits, place, 'latin1');
    return bytes;
  }
}

function messageText(order: FloodOrder, source: string, protocol: string): string {
  const { method, target } = order;
  const mark = '#'.repeat(COUNTER_DIGITS);
  const id = `${process.pid}x${source.replaceAll('.', 'x')}`;
  const body =
    method === 'INVITE'
      ? buildSdp({ address: source, rtpPort: 40_000, eventPayloadType: 101 })
      : '';
  const lines = [
    `${method} sip:${order.user}@${target.address}:${target.port} SIP/2.0`,
    `Via: SIP/2.0/${protocol} ${source}:5060;branch=z9hG4bK${id}x${mark};rport`,
    'Max-Forwards: 70',
    `From: <sip:flood@${source}>;tag=${id}`,
    `To: <sip:${order.user}@${target.address}>`,
    `Call-ID: ${id}x${mark}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:flood@${source}:5060>`,
    ...(method === 'SUBSCRIBE' ? ['Event: kpml', 'Expires: 3600'] : []),
    ...(method === 'REGISTER' ? ['Expires: 3600'] : []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

async function openUdp(order: FloodOrder, source: string): Promise<{ send: Send; socket: Socket }> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 1_048_576 });
  socket.on('error', () => undefined);
  socket.bind(0, source);
  await once(socket, 'listening');
  socket.connect(order.target.port, order.target.address);
  await once(socket, 'connect');
  return {
    socket,
    send: (bytes) => {
      socket.send(bytes, ignore);
      return true;
    },
  };
}

/** A connection that is opened anew whenever it is closed. */
function openTcp(order: FloodOrder, source: string): Send {
  const { address: host, port } = order.target;
  let socket = connect({ host, port, localAddress: source });
  const open = (): void => {
    socket.on('error', () => undefined);
    socket.resume();
  };
  open();
  return (bytes) => {
    if (socket.destroyed) {
      socket = connect({ host, port, localAddress: source });
      open();
    }
    if (socket.connecting || !socket.writable || socket.writableLength > MAX_QUEUED_BYTES)
      return false;
    // The socket keeps what it cannot send at once, and the buffer is patched again.
    socket.write(Buffer.from(bytes));
    return true;
  };
}

async function openSenders(order: FloodOrder): Promise<{ send: Send; template: Template }[]> {
  const senders = [];
  for (const source of order.sources) {
    const isTcp = order.transport === 'tcp';
    const template = new Template(messageText(order, source, isTcp ? 'TCP' : 'UDP'));
    const count = isTcp ? (order.connectionsPerSource ?? 1) : 1;
    for (let index = 0; index < count; index += 1) {
      const send = isTcp ? openTcp(order, source) : (await openUdp(order, source)).send;
      senders.push({ send, template });
    }
  }
  return senders;
}

async function flood(order: FloodOrder): Promise<FloodResult> {
  const senders = await openSenders(order);
  const startedMs = performance.now();
  let sent = 0;
  let tried = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      const due = Math.min(elapsedMs / 1000, order.seconds) * order.perSecond;
      // What a stall has cost is not made up at once: a burst beyond a tenth of a second says nothing.
      tried = Math.max(tried, Math.floor(due - order.perSecond / 10));
      for (; tried < due; tried += 1) {
        const sender = senders[tried % senders.length];
        if (sender?.send(sender.template.next()) === true) sent += 1;
      }
      if (elapsedMs < order.seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  return { sent, seconds: (performance.now() - startedMs) / 1000 };
}

function ignore(): void {
  // A datagram that could not be sent is one that did not arrive.
}

const order: FloodOrder = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(`${JSON.stringify(await flood(order))}\n`, () => process.exit(0));
