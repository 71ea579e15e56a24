/**
 * One call for the offer/answer tests:
 *
 *   caller 10.1.1.1 ── our 192.0.2.1 | our 198.51.100.1 ── 10.2.2.2 callee
 */
import { OfferAnswer, type LocalPorts } from '../../../src/call/offer/offer-answer.ts';
import {
  effectiveSettings,
  LEG_DEFAULTS,
  type LegSettings,
} from '../../../src/config/effective.ts';
import type { LegValues, SipInterface } from '../../../src/config/config.ts';
import { otherSide, type Side } from '../../../src/wire/side.ts';

/** Our ports towards each side, by m-line. */
export const LOCAL: Readonly<Record<Side, readonly LocalPorts[]>> = {
  caller: [
    { address: '192.0.2.1', rtpPort: 20_000, rtcpPort: 20_001 },
    { address: '192.0.2.1', rtpPort: 20_002, rtcpPort: 20_003 },
  ],
  callee: [
    { address: '198.51.100.1', rtpPort: 30_000, rtcpPort: 30_001 },
    { address: '198.51.100.1', rtpPort: 30_002, rtcpPort: 30_003 },
  ],
};

export const PEERS: Readonly<Record<Side, { address: string; port: number; user: string }>> = {
  caller: { address: '10.1.1.1', port: 4000, user: 'alice' },
  callee: { address: '10.2.2.2', port: 5000, user: 'bob' },
};

/** The settings of a leg whose interface sets `changed` and leaves the rest to the defaults. */
export function settings(changed: Partial<LegValues> = {}): LegSettings {
  return effectiveSettings(sipInterface(changed), undefined);
}

/** An interface that sets `changed` and leaves the rest to the defaults. */
export function sipInterface(changed: Partial<LegValues>): SipInterface {
  return {
    name: 'test',
    realm: 'test',
    sipPorts: [],
    tls: undefined,
    keepAliveIntervalMs: 0,
    admit: 'anyone',
    allow: [],
    deny: [],
    constraints: {
      maxSessions: 0,
      maxInboundSessions: 0,
      maxOutboundSessions: 0,
      maxBurstRate: 0,
      maxInboundBurstRate: 0,
      maxOutboundBurstRate: 0,
      burstRateWindowMs: 1000,
      maxSustainRate: 0,
      maxInboundSustainRate: 0,
      maxOutboundSustainRate: 0,
      sustainRateWindowMs: 30_000,
    },
    drachtio: undefined,
    leg: { ...LEG_DEFAULTS, ...changed },
  };
}

/** The SDP one side writes: `formats` of its audio line and the attributes below it. */
export function sdpOf(side: Side, formats: string, ...attributes: string[]): string {
  const { address, port, user } = PEERS[side];
  return text(
    'v=0',
    `o=${user} 11 22 IN IP4 ${address}`,
    's=phone',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    ...attributes,
  );
}

/** telephone-event lines of one payload type. */
export function te(payloadType: number, clockRate = 8000, events = '0-15'): string[] {
  return [
    `a=rtpmap:${payloadType} telephone-event/${clockRate}`,
    `a=fmtp:${payloadType} ${events}`,
  ];
}

export function text(...lines: string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}

/** What we write towards a side: session id, version, then the lines from m= on. */
export function ourSdp(side: Side, version: number, ...media: string[]): string {
  const address = side === 'caller' ? '192.0.2.1' : '198.51.100.1';
  const id = side === 'caller' ? '1001' : '2002';
  return text(
    'v=0',
    `o=- ${id} ${version} IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    ...media,
  );
}

export class TestCall {
  readonly negotiation: OfferAnswer;

  constructor(
    caller: Partial<LegValues> = {},
    callee: Partial<LegValues> = {},
    previous?: TestCall,
  ) {
    this.negotiation = new OfferAnswer({
      settings: { caller: settings(caller), callee: settings(callee) },
      sessionIds: { caller: '1001', callee: '2002' },
      previous: previous?.negotiation,
    });
  }

  /** Passes an offer on; what the other leg gets. */
  offer(
    from: Side,
    sdp: string | undefined,
    kpml = false,
  ): ReturnType<OfferAnswer['forwardOffer']> {
    this.negotiation.receiveOffer(from, sdp, kpml);
    return this.negotiation.forwardOffer(LOCAL[otherSide(from)]);
  }

  /** Passes an answer on; what the offerer gets and what media do. */
  answer(
    from: Side,
    sdp: string | undefined,
    { kpml = false, final = true } = {},
  ): ReturnType<OfferAnswer['forwardAnswer']> {
    this.negotiation.receiveAnswer(from, sdp, kpml, final);
    return this.negotiation.forwardAnswer(LOCAL[otherSide(from)], final);
  }
}

/** The first stream of an answer. */
export function stream(
  answer: ReturnType<OfferAnswer['forwardAnswer']>,
): NonNullable<ReturnType<OfferAnswer['forwardAnswer']>['streams'][number]> {
  const update = answer.streams[0];
  if (update === undefined) throw new Error('no stream update');
  return update;
}
