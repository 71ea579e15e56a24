/**
 * Many calls at once through one SBC, each between two ends with leg parameters of their own: a line is a session agent
 * `caller-N` in realm access, one `callee-N` in realm core, and a number that leads from one to the other.
 */

import { explanationSchema } from '../../src/api/schemas.ts';
import type { ExplanationView } from '../../src/api/backend.ts';
import { ledgerLines, settle } from './digit-call.ts';
import { freePorts } from './free-ports.ts';
import { KpmlKeypad, KpmlListener } from './kpml-sides.ts';
import type { LegParameters } from './loopback-config.ts';
import { TrunkCall } from './rfc2833-trunk.ts';
import type { PressOptions } from './rtp-peer.ts';
import { RtpPeer } from './rtp-peer.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import type { SipDialog } from './sip-dialog.ts';
import { SipPeer } from './sip-peer.ts';
import { statusOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc } from './start-sbc.ts';
import type { VoiceCallParts } from './voice-call.ts';
import { waitFor } from './wait-for.ts';

/** What one end of a line can do and says of itself. */
export interface LineEnd {
  readonly leg: LegParameters;
  /** Lists telephone-event in its SDP, in an answer where it was offered. */
  readonly hasEvents: boolean;
  /** The events that it takes, default `0-15`. */
  readonly events?: string;
  /** Lists kpml in Allow-Events. It serves a SUBSCRIBE in any case. */
  readonly hasKpml: boolean;
}

export interface LineOptions {
  readonly caller: LineEnd;
  readonly callee: LineEnd;
  /** The caller's INVITE has no SDP, its ACK has the answer. */
  readonly isDelayed?: boolean;
  /** Added to the caller's INVITE. */
  readonly headers?: readonly Header[];
}

/** One end of an answered call: telephone-events and both roles of KPML. */
export class LineCall extends TrunkCall {
  readonly keypad: KpmlKeypad;
  readonly listener: KpmlListener;

  constructor(parts: VoiceCallParts, roles: Roles) {
    super(parts);
    this.keypad = roles.keypad;
    this.listener = roles.listener;
  }

  /** Sends keys by NOTIFY where somebody has subscribed, else as telephone-events where the other end takes them. */
  async pressAnyWay(digits: string, options: PressOptions = {}): Promise<void> {
    const { remote, localEventPayloadType } = this;
    if (this.keypad.isSubscribed) await this.keypad.press(digits);
    else if (localEventPayloadType !== undefined && remote.eventPayloadType !== undefined) {
      await this.press(digits, options);
    }
  }
}

interface Roles {
  readonly keypad: KpmlKeypad;
  readonly listener: KpmlListener;
}

interface Place {
  readonly caller: SipPeer;
  readonly callee: SipPeer;
  readonly number: string;
}

/** A call of one line, both ends answered. */
export interface Connected {
  readonly caller: LineCall;
  readonly callee: LineCall;
  /** The 180 that reached the caller. */
  readonly ringing: SipText;
  /** The id that the SBC knows the call by. */
  readonly callId: string;
}

export class DigitLines {
  readonly running: RunningSbc;
  readonly #places: readonly Place[];
  readonly #lines: readonly LineOptions[];
  readonly #media: RtpPeer[] = [];

  private constructor(
    running: RunningSbc,
    places: readonly Place[],
    lines: readonly LineOptions[],
  ) {
    this.running = running;
    this.#places = places;
    this.#lines = lines;
  }

  static async open(lines: readonly LineOptions[]): Promise<DigitLines> {
    const [port = 0] = await freePorts(1);
    const places = await Promise.all(
      lines.map(async (_line, index) => ({
        caller: await SipPeer.open({ user: 'caller' }),
        callee: await SipPeer.open({ user: 'callee' }),
        number: String(5_551_000 + index),
      })),
    );
    const running = await startLoopbackSbc({
      // Nobody's: every call of a line has a policy of its own.
      carrier: { address: '127.0.0.1', port },
      mediaPorts: Math.max(80, 4 * lines.length),
      edit: (yaml) => withLines(yaml, lines, places),
    });
    return new DigitLines(running, places, lines);
  }

  /** Calls from end to end of line `index`. */
  async connect(index: number): Promise<Connected> {
    const line = this.#lines[index];
    const place = this.#places[index];
    if (line === undefined || place === undefined) throw new Error(`no line ${index}`);
    const callerRtp = await this.#openMedia();
    const calleeRtp = await this.#openMedia();
    const offered = sdpOf(callerRtp, line.caller);
    const outgoing = place.caller.invite({
      to: place.number,
      via: this.running.access,
      headers: [...headersOf(line.caller), ...(line.headers ?? [])],
      ...(line.isDelayed === true
        ? { ackBody: ({ body }) => sdpOf(callerRtp, line.caller, takesEvents(line.caller, body)) }
        : { body: offered }),
    });
    const callerRoles = rolesIn(outgoing.dialog);
    const incoming = await place.callee.nextCall();
    const calleeRoles = rolesIn(incoming.dialog);
    const { body: offer } = incoming.invite;
    const calleeEvents = offer === '' ? line.callee.hasEvents : takesEvents(line.callee, offer);
    incoming.ring({ headers: headersOf(line.callee) });
    const ringing = await outgoing.provisional(180);
    await incoming.answer({
      headers: headersOf(line.callee),
      body: sdpOf(calleeRtp, line.callee, calleeEvents),
    });
    await outgoing.answered();
    const final = outgoing.final ?? outgoing.invite;
    const ack = incoming.dialog.acks[0]?.body ?? '';
    const caller = new LineCall(
      partsOf(outgoing.dialog, callerRtp, final, {
        hasEvents:
          line.isDelayed === true ? takesEvents(line.caller, final.body) : line.caller.hasEvents,
        remoteSdp: final.body,
      }),
      callerRoles,
    );
    const callee = new LineCall(
      partsOf(incoming.dialog, calleeRtp, incoming.invite, {
        hasEvents: calleeEvents,
        remoteSdp: offer === '' ? ack : offer,
      }),
      calleeRoles,
    );
    const callId = await this.#callIdOf(outgoing.dialog.callId);
    return { caller, callee, ringing, callId };
  }

  /** What `GET /api/v1/calls/{id}/explanation` says of a call that is up. */
  async explanation(callId: string): Promise<ExplanationView> {
    return explanationSchema.parse(await this.#get(`/api/v1/calls/${callId}/explanation`));
  }

  /** One line per press of a call, see `ledgerLines`. */
  ledger(callId: string): string[] {
    return ledgerLines(this.running.sbc.ledger.list({ callId }));
  }

  /** The caller hangs up. */
  async finish({ caller, callee }: Connected): Promise<void> {
    await settle(caller.dialog, callee.dialog);
    await caller.hangUp();
    await callee.waitForEnd();
  }

  /** Closes the SBC and all ends; rejects when a call was still up or an error was logged. */
  async close(): Promise<void> {
    try {
      await this.running.close();
    } finally {
      const peers = this.#places.flatMap(({ caller, callee }) => [caller, callee]);
      await Promise.all([...this.#media, ...peers].map((end) => end.close()));
    }
  }

  async #callIdOf(sipCallId: string): Promise<string> {
    const calls = await this.#get('/api/v1/calls');
    if (!Array.isArray(calls)) throw new Error('the calls are no list');
    const ids = calls.filter((call: unknown) => JSON.stringify(call).includes(sipCallId));
    const [{ id } = { id: '' }]: { id?: unknown }[] = ids;
    if (typeof id !== 'string' || ids.length !== 1) throw new Error(`no call ${sipCallId}`);
    return id;
  }

  async #get(path: string): Promise<unknown> {
    const { api } = this.running;
    const url = `http://${api.address}:${api.port}${path}`;
    const response = await fetch(url, { headers: { connection: 'close' } });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  }

  async #openMedia(): Promise<RtpPeer> {
    const rtp = await RtpPeer.open();
    this.#media.push(rtp);
    return rtp;
  }
}

/** SUBSCRIBE of `end`: `489`, `200 of the SBC`, or `200 of the other end` when that one was asked. */
export async function subscribeOutcome(end: LineCall, other: LineCall): Promise<string> {
  const asked = other.keypad.subscribes.length;
  const status = statusOf(await end.listener.subscribe());
  if (status !== 200) return String(status);
  await waitFor('first NOTIFY', () => end.listener.notifies.length > 0);
  return other.keypad.subscribes.length > asked ? '200 of the other end' : '200 of the SBC';
}

function withLines(yaml: string, lines: readonly LineOptions[], places: readonly Place[]): string {
  const agents: string[] = [];
  const policies: string[] = [];
  for (const [index, { caller, callee }] of lines.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    agents.push(...agentLines(`caller-${index}`, 'access', place.caller, caller.leg));
    agents.push(...agentLines(`callee-${index}`, 'core', place.callee, callee.leg));
    policies.push(`  - { from-realm: access, to: "${place.number}", next-hop: callee-${index} }`);
  }
  return yaml.replace('local-policies:', [...agents, 'local-policies:', ...policies].join('\n'));
}

function agentLines(name: string, realm: string, at: SipPeer, leg: LegParameters): string[] {
  return [
    `  - name: ${name}`,
    `    realm: ${realm}`,
    `    address: "${at.address}:${at.port}"`,
    '    transport: udp',
    ...Object.entries(leg).map(([key, value]) => `    ${key}: ${value}`),
  ];
}

function headersOf(end: LineEnd): Header[] {
  const allow: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, SUBSCRIBE, NOTIFY'];
  return end.hasKpml ? [allow, ['Allow-Events', 'kpml']] : [allow];
}

function rolesIn(dialog: SipDialog): Roles {
  return { keypad: new KpmlKeypad(dialog), listener: new KpmlListener(dialog) };
}

function takesEvents(end: LineEnd, offer: string): boolean {
  return end.hasEvents && readSdp(offer).eventPayloadType !== undefined;
}

function sdpOf({ address, rtpPort }: RtpPeer, end: LineEnd, hasEvents = end.hasEvents): string {
  const sdp = buildSdp({ address, rtpPort, eventPayloadType: hasEvents ? 101 : undefined });
  return sdp.replace('a=fmtp:101 0-15', `a=fmtp:101 ${end.events ?? '0-15'}`);
}

/** What `VoiceCall` needs to know of one end; `message` is what the other end was known by. */
function partsOf(
  dialog: SipDialog,
  rtp: RtpPeer,
  message: SipText,
  own: { readonly hasEvents: boolean; readonly remoteSdp: string },
): VoiceCallParts {
  return {
    dialog,
    rtp,
    localEventPayloadType: own.hasEvents ? 101 : undefined,
    remote: readSdp(own.remoteSdp),
    remoteMessage: message,
  };
}
