/** One call from SIPp through the SBC to SIPp, each party and each side of the SBC on an address of its own. */

import { closeAfterTest } from '../support/leak-check.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { freePorts } from '../support/free-ports.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { readSdp } from '../support/sdp-text.ts';
import { headerValue, headerValues, methodOf, statusOf, tagIn } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { SippRun } from '../support/sipp.ts';
import type { SippMessage, SippResult } from '../support/sipp.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import type { RunningSbc } from '../support/start-sbc.ts';

/** No address begins another one, so that a search for one finds no other. */
export const ADDRESSES = {
  caller: '127.0.0.41',
  access: '127.0.0.21',
  core: '127.0.0.32',
  callee: '127.0.0.52',
} as const;

export interface SippCallOptions {
  /** Scenario of the caller and of the callee. */
  readonly caller: string;
  readonly callee: string;
  readonly transport?: 'udp' | 'tcp';
  readonly template?: Readonly<Record<string, string | number>>;
  readonly access?: LegParameters;
  readonly core?: LegParameters;
  /** What happens while the call is up; without it no media runs. */
  readonly during?: (call: CallUnderWay) => Promise<void>;
}

export interface CallUnderWay {
  readonly caller: SippRun;
  readonly callee: SippRun;
  readonly callerMedia: RtpPeer;
  readonly calleeMedia: RtpPeer;
}

export interface SippCallResult {
  readonly caller: SippResult;
  readonly callee: SippResult;
  readonly sbc: RunningSbc;
}

/** Runs both scenarios to their ends. */
export async function callThroughSbc(options: SippCallOptions): Promise<SippCallResult> {
  const transport = options.transport ?? 'udp';
  const [calleePort = 0] = await freePorts(1, ADDRESSES.callee);
  const sbc = closeAfterTest(
    await startLoopbackSbc({
      carrier: { address: ADDRESSES.callee, port: calleePort },
      transport,
      host: ADDRESSES.access,
      coreHost: ADDRESSES.core,
      ...(options.access === undefined ? {} : { access: options.access }),
      ...(options.core === undefined ? {} : { core: options.core }),
    }),
  );
  const callerMedia = closeAfterTest(await RtpPeer.open({ address: ADDRESSES.caller }));
  const calleeMedia = closeAfterTest(await RtpPeer.open({ address: ADDRESSES.callee }));
  const start = async (
    scenario: string,
    media: RtpPeer,
    more: { port?: number },
  ): Promise<SippRun> =>
    closeAfterTest(
      await SippRun.start({
        scenario,
        address: media.address,
        transport,
        template: { hold: 300, ...options.template },
        keys: { rtp_port: media.rtpPort, event_pt: 101, pattern: '[x*#ABCD]' },
        ...(scenario.startsWith('uac') ? { remote: sbc.access } : {}),
        ...more,
      }),
    );
  const callee = await start(options.callee, calleeMedia, { port: calleePort });
  await callee.listening();
  const caller = await start(options.caller, callerMedia, {});
  const { during } = options;
  if (during !== undefined) {
    const invite = await callee.received('INVITE', /^INVITE /);
    const answer = await caller.received('200 to INVITE', /^SIP\/2\.0 200 [^]*^CSeq: \d+ INVITE/m);
    calleeMedia.setRemote(readSdp(invite.body));
    callerMedia.setRemote(readSdp(answer.body));
    calleeMedia.startAudio();
    callerMedia.startAudio();
    await during({ caller, callee, callerMedia, calleeMedia });
  }
  const [callerResult, calleeResult] = await Promise.all([caller.finished(), callee.finished()]);
  return { caller: callerResult, callee: calleeResult, sbc };
}

/** What no call may show, whatever it is about. */
export function callProblems(result: SippCallResult): string[] {
  return [
    ...scenarioProblems(result),
    ...topologyLeaks(result),
    ...requestProblems(result.callee.messages),
    ...requestProblems(result.caller.messages),
  ];
}

/** Everything that went wrong in either scenario, with the messages of that side. */
function scenarioProblems(result: SippCallResult): string[] {
  return (['caller', 'callee'] as const).flatMap((side) => {
    const { exitCode, errors, messages } = result[side];
    if (exitCode === 0) return [];
    const lines = messages.map((entry) => `  ${entry.direction} ${entry.message.startLine}`);
    return [`${side}: SIPp ended with ${exitCode}\n${errors}\n${lines.join('\n')}`];
  });
}

/** Every place where something of one leg can be read on the other: address, Call-ID, tag. */
export function topologyLeaks({ caller, callee }: SippCallResult): string[] {
  return [
    ...leaksIn(callee.messages, [
      ...identityOf(caller.messages),
      ADDRESSES.caller,
      ADDRESSES.access,
    ]),
    ...leaksIn(caller.messages, [...identityOf(callee.messages), ADDRESSES.callee, ADDRESSES.core]),
  ];
}

/** The same bytes again are the same message, sent once more because its answer was late. */
export function withoutRepeats(messages: readonly SippMessage[]): SippMessage[] {
  const known = new Set<string>();
  return messages.filter(({ direction, text }) => {
    const key = `${direction} ${text}`;
    return !known.has(key) && known.add(key);
  });
}

/** Everything in the requests received that RFC 3261 does not allow, or that a B2BUA must have changed. */
function requestProblems(messages: readonly SippMessage[]): string[] {
  const requests = withoutRepeats(messages)
    .filter(({ direction, message }) => direction === 'received' && statusOf(message) === undefined)
    .map(({ message }) => message);
  let lastCseq = 0;
  return requests.flatMap((request) => {
    const method = methodOf(request);
    const problems = singleHeaders(method).flatMap((name) => {
      const count = headerValues(request, name).length;
      return count === 1 ? [] : [`${method} has ${count} times ${name}`];
    });
    const hops = Number(headerValue(request, 'Max-Forwards'));
    if (!(hops > 0 && hops <= 70)) problems.push(`${method} has Max-Forwards ${hops}`);
    const cseq = Number(headerValue(request, 'CSeq')?.split(' ')[0]);
    const isOwnNumber = method !== 'ACK' && method !== 'CANCEL';
    if (isOwnNumber && cseq <= lastCseq)
      problems.push(`${method} has CSeq ${cseq} after ${lastCseq}`);
    if (isOwnNumber) lastCseq = cseq;
    return problems;
  });
}

function singleHeaders(method: string): string[] {
  const always = ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length'];
  return ['INVITE', 'SUBSCRIBE', 'NOTIFY'].includes(method) ? [...always, 'Contact'] : always;
}

function identityOf(messages: readonly SippMessage[]): string[] {
  const found = messages.flatMap(({ message }) => [
    headerValue(message, 'Call-ID') ?? '',
    tagIn(headerValue(message, 'From') ?? '') ?? '',
    tagIn(headerValue(message, 'To') ?? '') ?? '',
  ]);
  return [...new Set(found)].filter((text) => text !== '');
}

function leaksIn(messages: readonly SippMessage[], secrets: readonly string[]): string[] {
  const received = messages.filter((entry) => entry.direction === 'received');
  return received.flatMap(({ text, message }) =>
    text
      .split('\r\n')
      .filter((line) => secrets.some((secret) => line.includes(secret)))
      .map((line) => `${firstWords(message)}: ${line}`),
  );
}

function firstWords(message: SipText): string {
  return message.startLine.split(' ').slice(0, 2).join(' ');
}
