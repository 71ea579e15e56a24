import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { type OpenPort, PortTable } from '../../../../src/engine/transport/open-port.ts';
import type { PortUser } from '../../../../src/engine/transport/open-port.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../../../../src/engine/transport/transport-limits.ts';

const SETTINGS = { limits: DEFAULT_TRANSPORT_LIMITS };
const POINT = { protocol: 'udp', address: '127.0.0.1', port: 0 } as const;
const FLOW = {
  protocol: 'udp',
  localAddress: '127.0.0.1',
  localPort: 5060,
  remoteAddress: '127.0.0.1',
  remotePort: 5070,
} as const;

const opened: OpenPort[] = [];

async function openPort(table = new PortTable()): Promise<OpenPort> {
  const port = await table.bind(POINT, SETTINGS);
  opened.push(port);
  return port;
}

afterEach(async () => {
  for (const port of opened.splice(0)) await port.transport.close();
});

/** An engine that writes down what it is given; messages that begin with `mine` are under way there. */
function user(name: string, log: string[], mine = '-', transaction = '-'): PortUser {
  return {
    isUnderWay: (bytes) => bytes.toString().startsWith(mine),
    hasTransaction: (bytes) => bytes.toString().startsWith(transaction),
    isAdmitted: (bytes) => {
      log.push(`${name}? ${bytes.toString()}`);
      return true;
    },
    onMessage: (bytes) => log.push(`${name} ${bytes.toString()}`),
    onBroken: () => log.push(`${name} broken`),
    onPathFailure: (_flow, reason) => log.push(`${name} ${reason}`),
  };
}

function receive(port: OpenPort, text: string): void {
  const bytes = Buffer.from(text);
  if (port.isAdmitted(bytes, '127.0.0.1')) port.onMessage(bytes, FLOW);
}

test('before anybody owns it, nothing is let in', async () => {
  const port = await openPort();
  const log: string[] = [];
  expect(port.isAdmitted(Buffer.from('INVITE'), '127.0.0.1')).toBe(false);
  expect(port.isConnectionAdmitted('127.0.0.1', 0)).toBe(false);
  port.own(user('a', log));
  receive(port, 'INVITE');
  expect(log).toEqual(['a? INVITE', 'a INVITE']);
});

test('the new owner gets what is new, the former one what is under way', async () => {
  const port = await openPort();
  const log: string[] = [];
  port.own(user('a', log, 'BYE', 'ACK'));
  port.own(user('b', log));
  for (const text of ['INVITE', 'BYE', 'ACK']) receive(port, text);
  port.onPathFailure(FLOW, 'refused');
  expect(log).toEqual([
    'b? INVITE',
    'b INVITE',
    'a? BYE',
    'a BYE',
    // Who lets it in is a matter of the cheap guess alone.
    'b? ACK',
    'a ACK',
    'a refused',
    'b refused',
  ]);
});

test('without owner the last one still gets what is new, to refuse it', async () => {
  const port = await openPort();
  const log: string[] = [];
  const a = user('a', log);
  port.own(a);
  port.retire(a);
  receive(port, 'INVITE');
  expect(log).toEqual(['a? INVITE', 'a INVITE']);
});

test('an owner that comes back is no former owner any more', async () => {
  const port = await openPort();
  const log: string[] = [];
  const [a, b] = [user('a', log, 'BYE'), user('b', log)];
  port.own(a);
  port.own(b);
  await port.leave(b);
  port.own(a);
  receive(port, 'BYE');
  expect(log).toEqual(['a? BYE', 'a BYE']);
  await port.leave(a);
  expect(await isFree(port.listenPoint.port)).toBe(true);
});

test('it closes with the last who has it, but not while a change counts on it', async () => {
  const table = new PortTable();
  const port = await openPort(table);
  const { port: number } = port.listenPoint;
  const [a, b] = [user('a', []), user('b', [])];
  port.own(a);
  port.own(b);
  await port.leave(b);
  expect(await isFree(number)).toBe(false);
  port.reserve();
  await port.leave(a);
  expect(await isFree(number)).toBe(false);
  expect(table.find({ ...POINT, port: number })).toBe(port);
  await port.release();
  expect(await isFree(number)).toBe(true);
  expect(table.find({ ...POINT, port: number })).toBeUndefined();
});

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const failed = once(socket, 'error').then(() => false);
  const bound = once(socket, 'listening').then(() => true);
  socket.bind(port, '127.0.0.1');
  const outcome = await Promise.race([failed, bound]);
  void failed.catch(() => undefined);
  void bound.catch(() => undefined);
  await new Promise<void>((resolve) => {
    socket.close(() => resolve());
  });
  return outcome;
}
