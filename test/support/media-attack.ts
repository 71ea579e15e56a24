/**
 * Calls through an SBC while a stranger sprays its media ports:
 *
 *   stranger on all ports ─┬── calls are set up, keys cross, quiet time ── re-INVITE with the same address ──
 *                          └── the callers move to new ports ── keys cross, quiet time
 *
 * Each stage says what reached the stranger and what of the stranger reached an end.
 */

import type { LoopbackConfig } from './loopback-config.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import type { TrunkCall } from './rfc2833-trunk.ts';
import { RtpPeer } from './rtp-peer.ts';
import { RtpSpray, isSprayed } from './rtp-spray.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import { statusOf } from './sip-text.ts';
import { sleep, waitFor } from './wait-for.ts';

export interface AttackOptions {
  readonly config: LoopbackConfig;
  readonly caller: Rfc2833Trunk;
  readonly callee: Rfc2833Trunk;
  readonly calls: number;
  readonly packetsPerSecond: number;
  /** How long the stages behind each lock last. */
  readonly quietMs: number;
}

/** Packets since the stage before. */
export interface StageReport {
  readonly stage: 'set-up' | 'middle' | 're-invite' | 'move' | 'moved';
  /** To the stranger. */
  readonly leaked: number;
  /** From the stranger to an end. */
  readonly injected: number;
}

export interface AttackReport {
  readonly sent: number;
  readonly stages: readonly StageReport[];
  /** Keys that an end has heard, and what it should have. */
  readonly keys: readonly { readonly heard: string; readonly expected: string }[];
  readonly violations: number;
  /** Presses that the SBC has counted. */
  readonly presses: number;
  readonly expectedPresses: number;
}

interface AttackedCall {
  readonly caller: TrunkCall;
  readonly callee: TrunkCall;
  /** Where the caller listens behind its move. */
  moved: RtpPeer | undefined;
}

const FIRST_KEYS = '15';
const LATER_KEYS = '3#';
const SOURCES = ['127.0.0.66', '127.0.0.67', '127.0.0.68', '127.0.0.69'];

export async function attack(options: AttackOptions): Promise<AttackReport> {
  const targets = mediaRanges(options.config.yaml);
  const { packetsPerSecond, quietMs } = options;
  const spray = new RtpSpray({ sources: SOURCES, targets, packetsPerSecond });
  const calls: AttackedCall[] = [];
  const stages: StageReport[] = [];
  let before = { leaked: 0, injected: 0 };
  const note = async (stage: StageReport['stage']): Promise<void> => {
    const now = { leaked: (await spray.report()).leaked, injected: injectedInto(calls) };
    stages.push({
      stage,
      leaked: now.leaked - before.leaked,
      injected: now.injected - before.injected,
    });
    before = now;
  };
  try {
    while ((await spray.report()).sent === 0) await sleep(10);
    for (let number = 0; number < options.calls; number += 1) {
      calls.push(await placeCall(options, number));
    }
    await note('set-up');
    await pressAll(calls, FIRST_KEYS);
    await sleep(quietMs);
    await note('middle');
    for (const { caller } of calls) await caller.reinvite('sendrecv');
    await sleep(quietMs);
    await note('re-invite');
    for (const call of calls) await move(call);
    await note('move');
    await pressAll(calls, LATER_KEYS);
    await sleep(quietMs);
    await note('moved');
    const report = await judge(options, calls, stages);
    for (const { caller, callee } of calls) {
      await caller.hangUp();
      await callee.waitForEnd();
    }
    const { sent } = await spray.stop();
    return { ...report, sent, violations: await violations(options.config) };
  } finally {
    await spray.close();
    for (const { moved } of calls) await moved?.close();
  }
}

async function placeCall(options: AttackOptions, number: number): Promise<AttackedCall> {
  const { caller: from, callee: to, config } = options;
  const [caller, callee] = await Promise.all([
    from.call({ to: String(5_550_000 + number), via: config.access }),
    to.answer(),
  ]);
  await Promise.all([ownAudioAt(caller.rtp), ownAudioAt(callee.rtp)]);
  return { caller, callee, moved: undefined };
}

/** Waits for audio of the other end, whatever else comes. */
async function ownAudioAt(rtp: RtpPeer): Promise<void> {
  const own = (): number => rtp.received.filter(({ ssrc }) => !isSprayed(ssrc)).length;
  const before = own();
  await waitFor('audio of the other end', () => own() > before + 2);
}

/** Keys of both ends of every call at once. */
async function pressAll(calls: readonly AttackedCall[], keys: string): Promise<void> {
  await Promise.all(
    calls.flatMap(({ caller, callee, moved }) => [
      moved === undefined ? caller.press(keys) : moved.press(keys),
      callee.press(keys),
    ]),
  );
}

/** New SDP: another port of the caller, where learning may begin again. */
async function move(call: AttackedCall): Promise<void> {
  const { caller } = call;
  const rtp = await RtpPeer.open({ address: caller.rtp.address });
  call.moved = rtp;
  const { address, rtpPort } = rtp;
  const body = buildSdp({ address, rtpPort, eventPayloadType: 101, version: 9 });
  caller.rtp.setRemote(undefined);
  const answer = await caller.dialog.request('INVITE', { body });
  if (statusOf(answer) !== 200) throw new Error(`re-INVITE: ${answer.startLine}`);
  rtp.setRemote(readSdp(answer.body));
  rtp.startAudio();
  await Promise.all([ownAudioAt(rtp), ownAudioAt(call.callee.rtp)]);
}

function injectedInto(calls: readonly AttackedCall[]): number {
  const peers = calls.flatMap(({ caller, callee, moved }) => [caller.rtp, callee.rtp, moved]);
  let injected = 0;
  for (const peer of peers) {
    if (peer === undefined) continue;
    injected += peer.received.filter(({ ssrc }) => isSprayed(ssrc)).length;
    injected += peer.receivedRtcp.filter((bytes) => isSprayed(bytes.readUInt32BE(4))).length;
  }
  return injected;
}

async function judge(
  { config }: AttackOptions,
  calls: readonly AttackedCall[],
  stages: readonly StageReport[],
): Promise<Omit<AttackReport, 'sent' | 'violations'>> {
  const expected = FIRST_KEYS + LATER_KEYS;
  await Promise.all(calls.map(({ callee }) => callee.waitForDigits(expected.length)));
  const text = await metricsOf(config);
  return {
    stages,
    keys: calls.flatMap(({ caller, callee }) => [
      { heard: callee.digits, expected },
      { heard: caller.digits, expected: FIRST_KEYS },
    ]),
    presses: sumOf(text, 'sbc_dtmf_digits_total'),
    expectedPresses: calls.length * 2 * expected.length,
  };
}

async function violations(config: LoopbackConfig): Promise<number> {
  return sumOf(await metricsOf(config), 'sbc_media_source_violations_total');
}

async function metricsOf({ api }: LoopbackConfig): Promise<string> {
  return (await fetch(`http://${api.address}:${api.port}/metrics`)).text();
}

function sumOf(text: string, name: string): number {
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))];
  return values.reduce((total, [, value]) => total + Number(value), 0);
}

/** The media ranges of the realms, as written by loopbackConfig. */
function mediaRanges(yaml: string): { address: string; first: number; last: number }[] {
  const realms = yaml.matchAll(/address: "([^"]+)", port-min: (\d+), port-max: (\d+)/g);
  return [...realms].map(([, address = '', first, last]) => ({
    address,
    first: Number(first),
    last: Number(last),
  }));
}
