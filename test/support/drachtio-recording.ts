import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FrameReader } from '../../src/engine/admin/frame.ts';
import { startEngine } from '../../src/engine/engine.ts';
import type { EngineOptions } from '../../src/engine/engine.ts';
import { freePorts } from './free-ports.ts';
import { compare, isOfAnother, kindOf, likeness, readComparable } from './recording-compare.ts';
import type { RecordedEvent } from './recording-file.ts';
import { RecordingIds } from './recording-ids.ts';
import { connectTcpPeer, listenTcpPeer, openUdpPeer } from './recording-peers.ts';
import type { RecordedPeer } from './recording-peers.ts';

/** How long an expected message may take on a busy machine. */
const PATIENCE_MS = 5000;
/** The same for a message of which it is known that it does not come. */
const SHORT_PATIENCE_MS = 100;
/** After the last event, for what comes although nobody expects it. */
const EPILOGUE_MS = 60;
const FAREWELL_MS = 50;

/** Everything the engine says on one connection or to one peer. */
interface Channel {
  readonly unmatched: string[];
  wake: (() => void) | undefined;
}

/** What a replay needs to know beyond the recording itself. */
export interface ReplayOptions {
  /** Knows the differences that are no surprise, so that nothing is waited for in vain. */
  readonly isMeant: (difference: string) => boolean;
  /** SIP times of the engine, shorter for recordings of timeouts. */
  readonly timers?: EngineOptions['timers'];
}

/**
 * Replays the inputs of a recording against a new engine on real sockets, in the recorded order: an input
 * goes out when everything recorded before it has come. Returns where the engine's messages differ.
 */
export async function replayEvents(
  events: readonly RecordedEvent[],
  options: ReplayOptions,
): Promise<string[]> {
  // Recorded servers have one port for UDP and TCP.
  const [port = 0] = await freePorts(1);
  const listen = [
    { protocol: 'udp', address: '127.0.0.1', port },
    { protocol: 'tcp', address: '127.0.0.1', port },
  ] as const;
  const admin = { host: '127.0.0.1', port: 0 };
  const { timers = {}, isMeant } = options;
  const engine = await startEngine({ listen, admin, secret: 'cymru', timers });
  const replay = new Replay({ admin: engine.adminPort, sip: port }, isMeant);
  try {
    return await replay.run(events);
  } finally {
    replay.close();
    await engine.close();
  }
}

class Replay {
  readonly #ids = new RecordingIds();
  readonly #ports: { readonly admin: number; readonly sip: number };
  readonly #isMeant: (difference: string) => boolean;
  readonly #channels = new Map<string, Channel>();
  readonly #apps = new Map<string, Socket>();
  readonly #peers = new Map<string, RecordedPeer>();
  readonly #expectedBefore = new Set<string>();
  readonly #differences: string[] = [];

  constructor(
    ports: { readonly admin: number; readonly sip: number },
    isMeant: (difference: string) => boolean,
  ) {
    this.#ports = ports;
    this.#isMeant = isMeant;
  }

  async run(events: readonly RecordedEvent[]): Promise<string[]> {
    await this.#prepare(events);
    for (const event of events) await this.#play(event);
    await pause(EPILOGUE_MS);
    for (const [name, channel] of this.#channels) {
      for (const text of channel.unmatched)
        this.#differences.push(`${name} extra: ${this.#describe(name, text)}`);
    }
    return this.#differences;
  }

  close(): void {
    for (const socket of this.#apps.values()) socket.destroy();
    for (const socket of this.#peers.values()) socket.close();
  }

  async #prepare(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) {
      if ('peer' in event) await this.#openPeer(event);
      if (event.type !== 'serverFrame') continue;
      const ownPort = /\|udp\/127\.0\.0\.1:(\d+)|,udp\/127\.0\.0\.1:(\d+)/.exec(event.payload);
      if (ownPort !== null) this.#ids.setPort(Number(ownPort[1] ?? ownPort[2]), this.#ports.sip);
    }
  }

  /** The recorded port of a peer that connects is known only from what the server sends to it. */
  async #openPeer(event: RecordedEvent & { readonly peer: string }): Promise<void> {
    const { peer: name } = event;
    const peer = this.#peers.get(name) ?? (await this.#newPeer(name, event.type));
    this.#peers.set(name, peer);
    const recorded = event.type === 'serverMessage' ? event.port : Number(name.split(':')[1]);
    if (!Number.isNaN(recorded)) this.#ids.setPort(recorded, peer.port);
  }

  async #newPeer(name: string, firstEvent: RecordedEvent['type']): Promise<RecordedPeer> {
    const channel = this.#channel(name);
    const seen = new Set<string>();
    const listen = (text: string): void => {
      // Retransmissions follow the clock, not a cause; recorded ones are left out in the same way.
      if (!seen.has(text)) hear(channel, text);
      seen.add(text);
    };
    if (!name.endsWith(':tcp')) return await openUdpPeer(this.#ports.sip, listen);
    if (firstEvent === 'serverMessage') return await listenTcpPeer(listen);
    return await connectTcpPeer(this.#ports.sip, listen);
  }

  async #openApp(name: string): Promise<Socket> {
    const socket = connect(this.#ports.admin, '127.0.0.1');
    socket.setNoDelay(true);
    const channel = this.#channel(name);
    const reader = new FrameReader(1_000_000);
    socket.on('data', (bytes: Buffer) => {
      for (const payload of reader.push(bytes).payloads) hear(channel, payload.toString());
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    this.#apps.set(name, socket);
    return socket;
  }

  async #play(event: RecordedEvent): Promise<void> {
    switch (event.type) {
      case 'appFrame': {
        const socket = this.#apps.get(event.connection) ?? (await this.#openApp(event.connection));
        const payload = Buffer.from(this.#translateFrame(event.payload));
        socket.write(Buffer.concat([Buffer.from(`${payload.length}#`), payload]));
        break;
      }
      case 'peerMessage':
        this.#learnOwn(event.text);
        this.#peers.get(event.peer)?.send(this.#ids.translateMessage(event.text, ''));
        break;
      case 'appClosed':
        this.#apps.get(event.connection)?.destroy();
        // The server hears of it on another socket than of what follows.
        await pause(FAREWELL_MS);
        break;
      case 'serverFrame':
        await this.#expect(event.connection, event.payload);
        break;
      case 'serverMessage':
        if (!this.#expectedBefore.has(contentOf(event.text)))
          await this.#expect(event.peer, event.text);
        this.#expectedBefore.add(contentOf(event.text));
        break;
    }
  }

  /** Names a peer makes up stand for themselves. */
  #learnOwn(text: string): void {
    for (const pattern of [
      /;tag=([^;\r\n>]+)/g,
      /;branch=([^;\r\n,]+)/g,
      /^call-id: *(.*?)\r$/gim,
    ]) {
      for (const match of text.matchAll(pattern)) this.#ids.learn(match[1] ?? '', match[1] ?? '');
    }
  }

  #translateFrame(payload: string): string {
    const lineEnd = payload.indexOf('\r\n');
    if (lineEnd < 0) return payload;
    const dialog = payload.slice(0, lineEnd).split('|')[3] ?? '';
    const header = this.#ids.translate(payload.slice(0, lineEnd));
    return `${header}\r\n${this.#ids.translateMessage(payload.slice(lineEnd + 2), dialog)}`;
  }

  /** Waits for the message that corresponds to a recorded one and compares them. */
  async #expect(name: string, recorded: string): Promise<void> {
    const channel = this.#channel(name);
    const key = keyOf(recorded);
    const missing = `${name} missing: ${this.#describe(name, recorded)}`;
    const patienceMs = this.#isMeant(missing) ? SHORT_PATIENCE_MS : PATIENCE_MS;
    const deadline = Date.now() + patienceMs;
    let actual = this.#best(channel, recorded, key);
    while (actual === undefined) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) {
        this.#differences.push(missing);
        return;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        channel.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      actual = this.#best(channel, recorded, key);
    }
    channel.unmatched.splice(channel.unmatched.indexOf(actual), 1);
    for (const problem of compare(recorded, actual, this.#ids)) {
      this.#differences.push(`${name} ${this.#describe(name, recorded)}: ${problem}`);
    }
  }

  /** The most similar message of that kind; the first of several equals. */
  #best(channel: Channel, recorded: string, key: string): string | undefined {
    const candidates = channel.unmatched.filter(
      (text) =>
        keyOf(text) === key && (key === '200 CANCEL' || !isOfAnother(recorded, text, this.#ids)),
    );
    const ranked = candidates.map((text) => ({ text, score: likeness(recorded, text, this.#ids) }));
    return ranked.toSorted((one, other) => other.score - one.score)[0]?.text;
  }

  #describe(name: string, text: string): string {
    const isFrame = name.startsWith('conn');
    const message = readComparable(text, isFrame);
    const [, type, , word = '', reason = ''] = message.tokens;
    if (!isFrame) return kindOf(message);
    if (message.startLine === '') return `${type} ${word} ${reason}`.trim();
    return `${type === 'sip' ? 'frame' : word} ${kindOf(message)}`;
  }

  #channel(name: string): Channel {
    const channel = this.#channels.get(name) ?? { unmatched: [], wake: undefined };
    this.#channels.set(name, channel);
    return channel;
  }
}

/** What a recorded and a replayed message have in common: the question they answer, or their kind. */
function keyOf(text: string): string {
  const isFrame = !/^(SIP\/2\.0|[A-Z]+ \S+ SIP\/2\.0)/.test(text);
  const message = readComparable(text, isFrame);
  if (message.tokens[1] === 'response') return `response ${message.tokens[2]}`;
  return kindOf(message);
}

/** A message without its branch: the recorded server repeats an ACK to a 2xx with another one. */
function contentOf(text: string): string {
  return text.startsWith('ACK ') ? text.replaceAll(/;branch=[^;\r\n,]+/g, '') : text;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function hear(channel: Channel, text: string): void {
  channel.unmatched.push(text);
  channel.wake?.();
  channel.wake = undefined;
}
