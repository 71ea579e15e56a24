import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Flow } from '../../../../src/engine/transport/flow.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../../../../src/engine/transport/transport-limits.ts';
import type { TransportLimits } from '../../../../src/engine/transport/transport-limits.ts';
import { UdpTransport } from '../../../../src/engine/transport/udp-transport.ts';
import { Inbox, UdpPeer } from '../transaction/raw-peer.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map(async (thing) => thing.close()));
});

interface Opened {
  readonly transport: UdpTransport;
  readonly port: number;
  readonly messages: Inbox<{ text: string; flow: Flow }>;
  readonly failures: Inbox<{ flow: Flow; reason: string }>;
}

async function openTransport(limits: Partial<TransportLimits> = {}, port = 0): Promise<Opened> {
  const messages = new Inbox<{ text: string; flow: Flow }>();
  const failures = new Inbox<{ flow: Flow; reason: string }>();
  const transport = await UdpTransport.open(
    { protocol: 'udp', address: '127.0.0.1', port },
    { ...DEFAULT_TRANSPORT_LIMITS, ...limits },
    {
      onMessage: (bytes, flow) => {
        messages.put({ text: bytes.toString(), flow });
      },
      onBroken: () => undefined,
      onPathFailure: (flow, reason) => {
        failures.put({ flow, reason });
      },
    },
  );
  opened.push(transport);
  return { transport, port: transport.listenPoint.port, messages, failures };
}

async function openPeer(): Promise<UdpPeer> {
  const peer = await UdpPeer.open();
  opened.push(peer);
  return peer;
}

const PING = Buffer.from('a message');

describe('watched paths', () => {
  test('what the peer of a watched path sends is received, and so is what others send', async () => {
    const { transport, port, messages } = await openTransport();
    const watched = await openPeer();
    const other = await openPeer();
    await transport.send(PING, watched, true);
    watched.send('from watched', port);
    const first = await messages.take();
    other.send('from other', port);
    const second = await messages.take();
    expect(first).toMatchObject({
      text: 'from watched',
      flow: { remotePort: watched.port, localPort: port },
    });
    expect(second).toMatchObject({
      text: 'from other',
      flow: { remotePort: other.port, localPort: port },
    });
  });

  test('the peer sees one source port, watched or not', async () => {
    const { transport, port } = await openTransport();
    const peer = await openPeer();
    const sources = new Inbox<number>();
    peer.onSource = (source) => {
      sources.put(source);
    };
    await transport.send(PING, peer, false);
    await transport.send(PING, peer, true);
    expect([await sources.take(), await sources.take()]).toEqual([port, port]);
  });

  test('a dead port is reported, and the path works again when somebody listens there', async () => {
    const { transport, failures } = await openTransport();
    const gone = await UdpPeer.open();
    const { port } = gone;
    await gone.close();
    await transport.send(PING, { address: '127.0.0.1', port }, true);
    expect(await failures.take()).toMatchObject({
      reason: 'port unreachable',
      flow: { remotePort: port },
    });
    const back = await UdpPeer.open('127.0.0.1', port);
    opened.push(back);
    expect(await transport.send(PING, back, true)).toMatchObject({ type: 'sent' });
    expect(await back.inbox.take()).toBe('a message');
  });

  test('beyond the limit a path is used without being watched', async () => {
    const { transport } = await openTransport({ watchedPaths: 1 });
    const one = await openPeer();
    const two = await openPeer();
    await transport.send(PING, one, true);
    await transport.send(PING, two, true);
    expect(await two.inbox.take()).toBe('a message');
  });

  test('an idle path is given up and opened again when needed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { transport, port, messages } = await openTransport({ pathIdleMs: 4000 });
    const peer = await openPeer();
    for (const text of ['one', 'two', 'three']) {
      await transport.send(PING, peer, true);
      await peer.inbox.take();
      vi.advanceTimersByTime(10_000);
      peer.send(`answer ${text}`, port);
      expect(await messages.take()).toMatchObject({ text: `answer ${text}` });
    }
  });
});

describe('the socket', () => {
  test('keep-alives are not messages', async () => {
    const { port, messages } = await openTransport();
    const peer = await openPeer();
    for (const text of ['', '\0', '\r\n', '\r\n\r\n', 'words']) peer.send(text, port);
    expect(await messages.take()).toMatchObject({ text: 'words' });
  });

  test.each([
    ['more than a datagram holds', Buffer.alloc(70_000), 9],
    ['port 0', PING, 0],
  ])('%s is a failure, not an exception', async (_what, bytes, port) => {
    const { transport } = await openTransport();
    const remote = { address: '127.0.0.1', port };
    expect(await transport.send(bytes, remote, false)).toMatchObject({ type: 'failed' });
    expect(await transport.send(bytes, remote, true)).toMatchObject({ type: 'failed' });
  });

  test('a port that is taken, by another of us as well, cannot be opened', async () => {
    const { port } = await openTransport();
    await expect(openTransport({}, port)).rejects.toThrow('EADDRINUSE');
  });

  test('sending after the end is a failure', async () => {
    const { transport } = await openTransport();
    await transport.close();
    opened.length = 0;
    expect(await transport.send(PING, { address: '127.0.0.1', port: 9 }, true)).toMatchObject({
      type: 'failed',
    });
  });
});
