/**
 * rtpengine in user space as a subject (see subject.ts): started with one media thread on one CPU, calls opened by offer
 * and answer over its ng protocol in JSON, from a process that is not measured.
 *
 *   node bench/media/rtpengine-subject.ts CPU ADDRESS CALLER CALLEE PEERPORT
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { within } from '../../test/support/wait-for.ts';

const NG_PORT = 2223;
const FIRST_PORT = 10_000;
const LAST_PORT = 59_999;
const REPEAT_MS = 500;
const REPLY_LIMIT_MS = 20_000;

const [cpu = '', address = '', caller = '', callee = '', peerPort = ''] = process.argv.slice(2);

const replySchema = z.object({
  result: z.string(),
  sdp: z.string().optional(),
  'error-reason': z.string().optional(),
});
type Reply = z.infer<typeof replySchema>;

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function startEngine(): ChildProcess {
  const words = [
    `--interface=${address}`,
    `--listen-ng=127.0.0.1:${NG_PORT}`,
    `--port-min=${FIRST_PORT}`,
    `--port-max=${LAST_PORT}`,
    '--config-file=none',
    '--table=-1',
    '--num-threads=1',
    '--media-num-threads=1',
    '--foreground',
    '--log-stderr',
    '--log-level=3',
  ];
  const engine = spawn('taskset', ['-c', cpu, 'rtpengine', ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  engine.stderr.on('data', (bytes: Buffer) => process.stderr.write(bytes));
  engine.once('error', (error) => {
    answer({ type: 'unavailable', reason: error.message });
    process.exit(0);
  });
  return engine;
}

const waiting = new Map<string, (reply: Reply) => void>();
let lastCookie = 0;

function receive(bytes: Buffer): void {
  const text = bytes.toString();
  const space = text.indexOf(' ');
  const cookie = text.slice(0, space);
  waiting.get(cookie)?.(replySchema.parse(JSON.parse(text.slice(space + 1))));
  waiting.delete(cookie);
}

/** Repeats the request under the same cookie until it is answered: the engine repeats its answer then. */
async function ask(socket: Socket, request: object): Promise<Reply> {
  lastCookie += 1;
  const cookie = `c${lastCookie}`;
  const send = (): void => {
    socket.send(`${cookie} ${JSON.stringify(request)}`, NG_PORT, '127.0.0.1');
  };
  const repeating = setInterval(send, REPEAT_MS);
  const answered = new Promise<Reply>((resolve) => {
    waiting.set(cookie, resolve);
  });
  send();
  try {
    return await within('answer of rtpengine', answered, REPLY_LIMIT_MS);
  } finally {
    clearInterval(repeating);
  }
}

function sdp(peer: string, port: number): string {
  const lines = [
    'v=0',
    `o=- 1 1 IN IP4 ${peer}`,
    's=-',
    `c=IN IP4 ${peer}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=ptime:20',
    'a=sendrecv',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

async function openCall(socket: Socket, call: number): Promise<[number, number]> {
  const port = Number(peerPort) + 2 * call;
  const id = { 'call-id': `load-${call}`, 'from-tag': 'a', ICE: 'remove' };
  const offered = await ask(socket, { command: 'offer', ...id, sdp: sdp(caller, port) });
  const answered = await ask(socket, {
    command: 'answer',
    ...id,
    'to-tag': 'b',
    sdp: sdp(callee, port),
  });
  // The answer goes to the caller, the offer to the callee.
  return [portOf(answered), portOf(offered)];
}

function portOf(reply: Reply): number {
  const [, port] = /^m=audio (\d+)/m.exec(reply.sdp ?? '') ?? [];
  if (port === undefined) throw new Error(`no port: ${reply['error-reason'] ?? reply.result}`);
  return Number(port);
}

async function main(): Promise<void> {
  const engine = startEngine();
  process.on('exit', () => engine.kill('SIGKILL'));
  const socket = createSocket('udp4', receive);
  const ports: [number, number][] = [];
  await ask(socket, { command: 'ping' });
  for await (const line of createInterface({ input: process.stdin })) {
    const [, calls] = /^open (\d+)/.exec(line) ?? [];
    while (ports.length < Number(calls ?? 0)) ports.push(await openCall(socket, ports.length));
    answer({ type: 'opened', ports, pid: engine.pid });
  }
  const ended = once(engine, 'close');
  engine.kill('SIGKILL');
  await ended;
}

await main();
process.exit(0);
