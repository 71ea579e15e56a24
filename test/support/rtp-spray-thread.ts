/** Thread of `RtpSpray`: sends in bursts of 5 ms, counts what comes back. */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { buildEvent, buildRtp } from './rtp-packet.ts';
import { SPRAY_SSRC } from './rtp-spray.ts';
import type { SprayOrder } from './rtp-spray.ts';

const BURST_MS = 5;
const PAYLOAD_TYPES = [0, 101, 8, 96, 110, 101];
const SSRCS = 8;
/** Nine, which nobody presses in such a test. */
const EVENT_CODE = 9;

const parent = parentPort;
if (parent === null) throw new Error('runs as a thread only');
const order: SprayOrder = workerData;
const ports = order.targets.flatMap(({ address, first, last }) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ address, port: first + index })),
);
const sockets = await Promise.all(order.sources.map(open));
let sent = 0;
let leaked = 0;
let owed = 0;
let lastMs = performance.now();

function open(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', () => {
    leaked += 1;
  });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.bind(0, address, () => resolve(socket));
  });
}

/** An RTP packet for an even port, a sender report for an odd one. */
function packetFor(port: number, round: number): Buffer {
  const ssrc = SPRAY_SSRC + (round % SSRCS);
  if (port % 2 === 1) {
    const report = Buffer.alloc(28);
    report.writeUInt32BE(0x80c8_0006, 0);
    report.writeUInt32BE(ssrc, 4);
    return report;
  }
  const payloadType = PAYLOAD_TYPES[round % PAYLOAD_TYPES.length] ?? 0;
  const isEvent = payloadType > 95;
  const payload = isEvent
    ? buildEvent({ eventCode: EVENT_CODE, isEnd: true, volume: 10, durationTicks: 800 })
    : Buffer.alloc(160, 0xe5);
  const timestamp = round * 160;
  return buildRtp({
    payloadType,
    marker: isEvent,
    sequenceNumber: round,
    timestamp,
    ssrc,
    payload,
  });
}

/** Port after port; the same source for a port each time, as learning wants it. */
function burst(): void {
  const nowMs = performance.now();
  owed += ((nowMs - lastMs) * order.packetsPerSecond) / 1000;
  lastMs = nowMs;
  for (; owed >= 1; owed -= 1) {
    const target = ports[sent % ports.length];
    const socket = sockets[Math.floor((sent % ports.length) / 2) % sockets.length];
    if (target === undefined || socket === undefined) return;
    const round = Math.floor(sent / ports.length) + 1;
    socket.send(packetFor(target.port, round), target.port, target.address);
    sent += 1;
  }
}

const timer = setInterval(burst, BURST_MS);
parent.on('message', (command: 'report' | 'stop') => {
  parent.postMessage({ sent, leaked }, []);
  if (command === 'report') return;
  clearInterval(timer);
  for (const socket of sockets) socket.close();
  parent.close();
});
