/**
 * What goes to the capture server: rows of the ladder and entries of the digit ledger, each as one HEP datagram that
 * names the call. Both come masked; nothing else is looked at.
 */
import { isIP } from 'node:net';
import type { HepContent, HepSender } from './hep-sender.ts';
import { encodeHep, HEP_JSON, HEP_SIP, type HepEnd, type HepIdentity } from './hep.ts';
import type { HepPacket, HepTransport } from './hep.ts';
import type { DigitRecord } from './digit-ledger.ts';
import type { LadderEnd, LadderLeg, LadderRow } from './ladder.ts';

export interface HepCaptureOptions {
  readonly sender: Pick<HepSender, 'send' | 'isOn'>;
  readonly settings: HepSettings;
  /** Who stands at the end of a leg, as the ladder knows. */
  readonly endOf: (callId: string, leg: LadderLeg) => LadderEnd | undefined;
  /** The IP address of a session agent that has a host name. */
  readonly addressOf: (agentName: string) => string | undefined;
}

export interface HepSettings extends HepIdentity {
  readonly sendsSip: boolean;
  readonly sendsDecisions: boolean;
  readonly sendsDigits: boolean;
}

/** Between which addresses the messages of a leg travel. */
interface CapturedLeg {
  readonly local: HepEnd;
  readonly remote: HepEnd;
  readonly transport: HepTransport;
}

const DEFAULT_PORT = 5060;
const NOWHERE: CapturedLeg = {
  local: { address: '', port: 0 },
  remote: { address: '', port: 0 },
  transport: 'udp',
};

export class HepCapture {
  readonly #options: HepCaptureOptions;
  #settings: HepSettings;
  readonly #legs = new WeakMap<LadderEnd, CapturedLeg>();

  constructor(options: HepCaptureOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Later packets are made by `settings`. */
  apply(settings: HepSettings): void {
    this.#settings = settings;
  }

  /** Takes a row as the ladder stores it. Rows about digits are left to the ledger. */
  row(callId: string, row: LadderRow): void {
    if (!this.#options.sender.isOn) return;
    const leg = this.#legOf(callId, row.leg ?? 'caller');
    if (row.kind === 'sip') this.#sip(callId, row, leg);
    else if (row.kind !== 'dtmf' && this.#settings.sendsDecisions) {
      const { atMs, kind: type, leg: side, summary } = row;
      this.#json('decision', { atMs, callId }, { leg, value: { type, side, summary } });
    }
  }

  /** Takes an entry of the ledger whenever something has become of it. */
  digit(read: () => DigitRecord): void {
    if (!this.#options.sender.isOn || !this.#settings.sendsDigits) return;
    const record = read();
    const { callId, direction, atMs } = record;
    const leg = this.#legOf(callId, direction === 'caller-to-callee' ? 'caller' : 'callee');
    this.#json('digit', { atMs, callId }, { leg, value: { type: 'digit', ...record } });
  }

  #sip(callId: string, row: LadderRow, leg: CapturedLeg): void {
    const { atMs, direction, text } = row;
    if (!this.#settings.sendsSip || text === undefined) return;
    const isOut = direction === 'out';
    const remote = row.remote === undefined ? leg.remote : hostPortOf(row.remote);
    this.#send('sip', {
      type: HEP_SIP,
      source: isOut ? leg.local : remote,
      destination: isOut ? remote : leg.local,
      transport: row.transport === undefined ? leg.transport : hepTransport(row.transport),
      atMs,
      correlationId: callId,
      payload: text,
    });
  }

  #json(
    content: HepContent,
    { atMs, callId }: { readonly atMs: number; readonly callId: string },
    { leg, value }: { readonly leg: CapturedLeg; readonly value: object },
  ): void {
    this.#send(content, {
      type: HEP_JSON,
      source: leg.remote,
      destination: leg.local,
      transport: leg.transport,
      atMs,
      correlationId: callId,
      payload: JSON.stringify({ callId, ...value }),
    });
  }

  #send(content: HepContent, packet: HepPacket): void {
    this.#options.sender.send(content, encodeHep(packet, this.#settings));
  }

  #legOf(callId: string, side: LadderLeg): CapturedLeg {
    const end = this.#options.endOf(callId, side);
    if (end === undefined) return NOWHERE;
    const known = this.#legs.get(end);
    if (known !== undefined) return known;
    const remote = hostPortOf(end.remote);
    const address = isIP(remote.address) === 0 ? this.#options.addressOf(end.name) : undefined;
    const leg: CapturedLeg = {
      local: hostPortOf(end.local),
      remote: address === undefined ? remote : { ...remote, address },
      transport: hepTransport(end.transport),
    };
    this.#legs.set(end, leg);
    return leg;
  }
}

function hepTransport(name: string): HepTransport {
  return name === 'tcp' || name === 'tls' ? name : 'udp';
}

/** `host:port`, `[v6]:port`; without a port the one that SIP has by default. */
function hostPortOf(text: string): HepEnd {
  const port = /:(\d+)$/.exec(text)?.[1];
  const host = port === undefined ? text : text.slice(0, -port.length - 1);
  return { address: host.replaceAll(/[[\]]/g, ''), port: Number(port ?? DEFAULT_PORT) };
}
