/** An rtpengine without packets: remembers what it was asked, answers as told. */

import type {
  EngineCallRequest,
  EngineDtmfRequest,
  EngineFailure,
  EngineNode,
  EngineResult,
  EngineSdpRequest,
  EngineSdpResult,
  EngineTagRequest,
  NgDictionary,
} from '../../src/media/rtpengine/rtpengine-node.ts';

export interface Asked {
  readonly command: string;
  readonly request: NgDictionary;
}

const ADDRESS = '192.0.2.50';

export class FakeEngineNode implements EngineNode {
  readonly name: string;
  host = '127.0.0.1';
  /** Where it says it is asked. */
  address: string | undefined = '127.0.0.1';
  readonly asked: Asked[] = [];
  /** What the next commands of a kind fail with, first come first served. */
  readonly failures: (EngineFailure & { readonly command: string })[] = [];
  /** The address and the ports it answers offers and answers with. */
  connection = `IP4 ${ADDRESS}`;
  ports = { callee: 30_000, caller: 30_002 };
  /** RTP packets it says it has of each side. */
  packets = { caller: 10, callee: 10 };
  /** How many more of each it has from one query to the next, and the bytes of each. */
  packetsPerQuery = 0;
  packetBytes = 172;
  /** Who the packets come from. */
  ssrc = 1;
  /** When it says that it began each call, and by which offer. */
  created = 1_700_000_000;
  label: string | undefined = 'first-offer';
  /** How long each answer takes; milliseconds. */
  delayMs = 0;
  #isUp = true;
  readonly #listeners = new Set<(isUp: boolean) => void>();

  constructor(name = 'node') {
    this.name = name;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  set isUp(isUp: boolean) {
    this.#isUp = isUp;
    for (const listener of this.#listeners) listener(isUp);
  }

  /** The commands so far, in order. */
  get commands(): string[] {
    return this.asked.map(({ command }) => command);
  }

  /** Lets the next `command` fail. */
  fail(command: string, reason: EngineFailure['reason'], detail = ''): void {
    this.failures.push({ type: 'failed', command, reason, detail });
  }

  ping(): Promise<EngineResult> {
    return this.#answer('ping', {}, {});
  }

  offer(request: EngineSdpRequest): Promise<EngineSdpResult> {
    const { caller, callee } = this.ports;
    return this.#sdp('offer', request, request['from-tag'] === 'callee' ? caller : callee);
  }

  answer(request: EngineSdpRequest): Promise<EngineSdpResult> {
    const { caller, callee } = this.ports;
    return this.#sdp('answer', request, request['from-tag'] === 'callee' ? callee : caller);
  }

  delete(request: EngineCallRequest): Promise<EngineResult> {
    return this.#answer('delete', request, this.#view());
  }

  query(request: EngineCallRequest): Promise<EngineResult> {
    this.packets.caller += this.packetsPerQuery;
    this.packets.callee += this.packetsPerQuery;
    return this.#answer('query', request, this.#view());
  }

  playDtmf(request: EngineDtmfRequest): Promise<EngineResult> {
    return this.#answer('play', request, {});
  }

  blockDtmf(request: EngineTagRequest): Promise<EngineResult> {
    return this.#answer('block', request, {});
  }

  unblockDtmf(request: EngineTagRequest): Promise<EngineResult> {
    return this.#answer('unblock', request, {});
  }

  onChange(listener: (isUp: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #sdp(command: string, request: NgDictionary, port: number): Promise<EngineSdpResult> {
    const result = await this.#answer(command, request, {});
    const sdp = `c=IN ${this.connection}\r\nm=audio ${port} RTP/AVP 0\r\n`;
    return result.type === 'ok' ? { ...result, sdp } : result;
  }

  async #answer(
    command: string,
    request: NgDictionary,
    answer: NgDictionary,
  ): Promise<EngineResult> {
    this.asked.push({ command, request });
    if (this.delayMs > 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, this.delayMs);
      });
    }
    const index = this.failures.findIndex((failure) => failure.command === command);
    const [failure] = index === -1 ? [] : this.failures.splice(index, 1);
    return failure ?? { type: 'ok', answer };
  }

  #view(): NgDictionary {
    const { caller, callee } = this.packets;
    const { created, label } = this;
    return {
      created,
      tags: { caller: { label, ...this.#leg(caller) }, callee: this.#leg(callee) },
    };
  }

  /** A leg as `query` has it. */
  #leg(packets: number): NgDictionary {
    const rtp = {
      SSRC: this.ssrc,
      'last packet': Math.trunc(Date.now() / 1000),
      endpoint: { address: '192.0.2.9', port: 4000 },
      flags: ['RTP', 'confirmed'],
      stats: { packets, bytes: packets * this.packetBytes, errors: 1 },
    };
    const rtcp = { stats: { packets: 2, bytes: 200, errors: 0 } };
    return { medias: [{ streams: [rtp, rtcp] }] };
  }
}
