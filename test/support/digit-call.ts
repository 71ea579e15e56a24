/** A KPML phone (realm access) and a telephone-event trunk (realm core) in one call through a real SBC on loopback. */

import { afterAll, beforeAll } from 'vitest';
import type { DigitRecord } from '../../src/observe/digit-ledger.ts';
import { freePorts } from './free-ports.ts';
import { KpmlPhone } from './kpml-phone.ts';
import type { KpmlPhoneCall, KpmlPhoneOptions } from './kpml-phone.ts';
import { closeAfterTest } from './leak-check.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import type { TrunkCall, TrunkOptions } from './rfc2833-trunk.ts';
import { isStall, RELAYED_EVENTS } from './rtp-analysis.ts';
import type { RtpPeerOptions } from './rtp-peer.ts';
import type { SipDialog } from './sip-dialog.ts';
import type { SipPeer } from './sip-peer.ts';
import { formatSipText, headerValue, methodOf, statusOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc, StartOptions } from './start-sbc.ts';
import type { VoiceCall } from './voice-call.ts';
import { waitFor } from './wait-for.ts';

export type SbcOptions = Partial<Omit<StartOptions, 'carrier' | 'phone'>>;

export interface EndOptions {
  readonly phoneOptions?: KpmlPhoneOptions;
  readonly trunkOptions?: TrunkOptions;
}

export type StageOptions = SbcOptions & EndOptions;

/** Both ends and the SBC between them. */
export interface Stage {
  readonly running: RunningSbc;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
}

export interface DialOptions {
  /** Added to the INVITE. */
  readonly headers?: readonly Header[];
  readonly callerRtp?: RtpPeerOptions;
  readonly calleeRtp?: RtpPeerOptions;
}

/** A stage of its own for one test, closed after it. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { phoneOptions, trunkOptions, ...sbcOptions } = options;
  const [phone, trunk] = await Promise.all([
    KpmlPhone.open({ user: 'phone', ...phoneOptions }),
    Rfc2833Trunk.open({ user: 'trunk', ...trunkOptions }),
  ]);
  closeAfterTest(phone);
  closeAfterTest(trunk);
  const running = await startLoopbackSbc({ carrier: trunk.sip, phone: phone.sip, ...sbcOptions });
  closeAfterTest(running);
  return { running, phone, trunk };
}

/**
 * One SBC for all tests of the file that calls this; starting it is what takes longest.
 *
 * @returns a function that gives each test fresh ends at the addresses which that SBC knows.
 */
export function shareSbc(options: SbcOptions = {}): (ends?: EndOptions) => Promise<Stage> {
  let running: RunningSbc | undefined;
  let ports: readonly [phone: number, trunk: number] = [0, 0];
  const openEnds = async ({ phoneOptions, trunkOptions }: EndOptions): Promise<Stage> => {
    if (running === undefined) throw new Error('the shared SBC did not start');
    const [phone, trunk] = await Promise.all([
      KpmlPhone.open({ user: 'phone', port: ports[0], ...phoneOptions }),
      Rfc2833Trunk.open({ user: 'trunk', port: ports[1], ...trunkOptions }),
    ]);
    return { running, phone, trunk };
  };
  beforeAll(async () => {
    const [phone = 0, trunk = 0] = await freePorts(2);
    ports = [phone, trunk];
    running = await startLoopbackSbc({
      carrier: { address: '127.0.0.1', port: trunk },
      phone: { address: '127.0.0.1', port: phone },
      ...options,
    });
    // The first call starts the relay's thread, which is then there for all tests.
    const stage = await openEnds({});
    await (await phoneCallsTrunk(stage)).finish();
    await Promise.all([stage.phone.close(), stage.trunk.close()]);
  });
  afterAll(async () => {
    await running?.close();
  });
  return async (ends = {}) => {
    const stage = await openEnds(ends);
    closeAfterTest(stage.phone);
    closeAfterTest(stage.trunk);
    return stage;
  };
}

/** One call between the two ends of a stage. */
export class DigitCall {
  readonly stage: Stage;
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
  readonly #earlierPresses: number;

  constructor(stage: Stage, ends: { phone: KpmlPhoneCall; trunk: TrunkCall; presses: number }) {
    this.stage = stage;
    this.phone = ends.phone;
    this.trunk = ends.trunk;
    this.#earlierPresses = ends.presses;
  }

  /** What the SBC's ledger holds of this call, one line per press. */
  get ledger(): string[] {
    return ledgerLines(allPresses(this.stage).slice(this.#earlierPresses));
  }

  /**
   * Resolves when everything the SBC does on account of what it has received so far has reached both ends:
   * a request answered by the SBC itself cannot overtake what it sent before on the same path.
   */
  async settle(): Promise<void> {
    await settle(this.phone.dialog, this.trunk.dialog);
  }

  /** The phone hangs up; gives everything that went wrong at either end during the call. */
  async finish(): Promise<string[]> {
    await this.phone.hangUp();
    await this.trunk.waitForEnd();
    await waitFor('end of the call', () => this.stage.running.sbc.calls.size === 0);
    return this.problems();
  }

  problems(): string[] {
    const { phone, trunk } = this;
    return [
      ...phone.problems(),
      ...trunk.dialog.problems,
      ...phone.audioProblems().map((problem) => `at the phone: ${problem}`),
      ...trunk.audioProblems().map((problem) => `at the trunk: ${problem}`),
      ...trunk.eventProblems(RELAYED_EVENTS),
    ].filter((problem) => !isStall(problem));
  }
}

export async function phoneCallsTrunk(stage: Stage, dial: DialOptions = {}): Promise<DigitCall> {
  const { phone, trunk, running } = stage;
  const presses = allPresses(stage).length;
  const [phoneCall, trunkCall] = await Promise.all([
    phone.call({ to: '5551000', via: running.access, ...callerOptions(dial) }),
    trunk.answer(calleeOptions(dial)),
  ]);
  return new DigitCall(stage, { phone: phoneCall, trunk: trunkCall, presses });
}

export async function trunkCallsPhone(stage: Stage, dial: DialOptions = {}): Promise<DigitCall> {
  const { phone, trunk, running } = stage;
  const presses = allPresses(stage).length;
  const [trunkCall, phoneCall] = await Promise.all([
    trunk.call({ to: 'phone', via: running.core, ...callerOptions(dial) }),
    phone.answer(calleeOptions(dial)),
  ]);
  return new DigitCall(stage, { phone: phoneCall, trunk: trunkCall, presses });
}

/** One line per press: `caller-to-callee 5 notify -> rtp`, with the drop reason where there is one. */
export function ledgerLines(records: readonly DigitRecord[]): string[] {
  return records.map((record) => {
    const outputs = record.outputs.map((output) =>
      'status' in output ? `${output.type} ${output.status}` : output.type,
    );
    const fate = [...outputs, ...(record.dropped === undefined ? [] : [`!${record.dropped}`])];
    return `${record.direction} ${record.digit} ${record.source.type} -> ${fate.join(', ')}`;
  });
}

/**
 * Every message of a peer in order: `> INVITE`, `< 200 INVITE`. Repeats are left out, and answers to requests of
 * somebody who had the port before.
 */
export function messagesOf(peer: SipPeer): string[] {
  const seen = new Set<string>();
  const asked = new Set<string>();
  const lines: string[] = [];
  for (const { direction, text, message } of peer.log) {
    if (seen.has(`${direction} ${text}`)) continue;
    seen.add(`${direction} ${text}`);
    const status = statusOf(message);
    const branch = branchOf(message);
    if (status === undefined && direction === 'sent') asked.add(branch);
    if (status !== undefined && direction === 'received' && !asked.has(branch)) continue;
    const what = status === undefined ? methodOf(message) : `${status} ${methodOf(message)}`;
    lines.push(`${direction === 'sent' ? '>' : '<'} ${what}`);
  }
  return lines;
}

function branchOf(message: SipText): string {
  return /;branch=([^;,]+)/.exec(headerValue(message, 'Via') ?? '')?.[1] ?? '';
}

/** The messages of one kind that a peer sent or received, such as `< SUBSCRIBE` or `> 200 NOTIFY`. */
export function messagesLike(peer: SipPeer, line: string): SipText[] {
  const [arrow, ...words] = line.split(' ');
  return peer.log
    .filter(({ direction }) => direction === (arrow === '>' ? 'sent' : 'received'))
    .map((entry) => entry.message)
    .filter((message) => {
      const status = statusOf(message);
      return words.join(' ') === `${status === undefined ? '' : `${status} `}${methodOf(message)}`;
    });
}

/** See `DigitCall.settle`, for ends of any kind. */
export async function settle(...dialogs: readonly SipDialog[]): Promise<void> {
  await Promise.all(dialogs.map((dialog) => dialog.request('OPTIONS')));
}

/**
 * Sends text as it is on the path of a call and gives the answer to its branch.
 * `edit` changes a request of the peer's log that is sent again.
 */
export async function resend(
  peer: SipPeer,
  original: SipText,
  edit: (request: SipText) => SipText = (request) => request,
): Promise<SipText> {
  const sent = peer.log.find(({ message }) => message === original);
  const to = sent === undefined ? undefined : targetOf(original);
  if (to === undefined) throw new Error('the request is not in the log of the peer');
  const before = peer.log.length;
  const request = edit(original);
  peer.sendRaw(formatSipText(request), to);
  const via = request.headers.find(([name]) => name === 'Via')?.[1] ?? '';
  const branch = /branch=([^;]+)/.exec(via)?.[1] ?? '';
  return waitFor(
    'answer to the request sent again',
    () =>
      peer.log
        .slice(before)
        .find(({ direction, text }) => direction === 'received' && text.includes(branch))?.message,
  );
}

/** Waits until `end` has received `count` more packets of audio. */
export async function moreAudio(end: VoiceCall, count = 3): Promise<void> {
  const before = end.rtp.received.length;
  await waitFor('audio', () => end.rtp.received.length >= before + count);
}

function allPresses(stage: Stage): readonly DigitRecord[] {
  return stage.running.sbc.ledger.list({});
}

function targetOf(request: SipText): { address: string; port: number } | undefined {
  const match = /^\S+ sip:(?:[^@]*@)?([^:;]+):(\d+)/.exec(request.startLine);
  if (match === null) return undefined;
  return { address: match[1] ?? '', port: Number(match[2]) };
}

function callerOptions(dial: DialOptions): { headers?: readonly Header[]; rtp?: RtpPeerOptions } {
  return {
    ...(dial.headers === undefined ? {} : { headers: dial.headers }),
    ...(dial.callerRtp === undefined ? {} : { rtp: dial.callerRtp }),
  };
}

function calleeOptions(dial: DialOptions): { rtp?: RtpPeerOptions } {
  return dial.calleeRtp === undefined ? {} : { rtp: dial.calleeRtp };
}
