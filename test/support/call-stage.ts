/**
 * Two plain endpoints and the SBC between them, each side on addresses of its own:
 *
 *   alice 127.0.0.2 ── access 127.0.0.1 [SBC] core 127.0.0.4 ── bob 127.0.0.3
 *
 * Closing a stage proves that the SBC has let everything go, and that neither end was sent anything that names the other.
 */

import { afterAll, beforeAll } from 'vitest';
import type { LegPorts } from '../../src/media/media-engine.ts';
import type { CdrRecord } from '../../src/observe/cdr.ts';
import { freePorts } from './free-ports.ts';
import { closeAfterTest } from './leak-check.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import type { TrunkCall, TrunkOptions } from './rfc2833-trunk.ts';
import { buildSdp } from './sdp-text.ts';
import type { SipPeer, SipTarget } from './sip-peer.ts';
import { headerValue, tagIn } from './sip-text.ts';
import type { Header } from './sip-text.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc, StartOptions } from './start-sbc.ts';
import type { VoiceCall } from './voice-call.ts';
import { PATIENCE_MS, sleep, waitFor } from './wait-for.ts';

export interface CallStageOptions extends Partial<Omit<StartOptions, 'carrier' | 'phone'>> {
  readonly alice?: TrunkOptions;
  readonly bob?: TrunkOptions;
  /** False: what one end sends may show up at the other. Default true. */
  readonly hidesTopology?: boolean;
}

export interface CallStage {
  readonly running: RunningSbc;
  /** In realm access, the session agent `phone`. */
  readonly alice: Rfc2833Trunk;
  /** In realm core, the session agent `carrier`. */
  readonly bob: Rfc2833Trunk;
}

export interface PlainCall {
  readonly alice: TrunkCall;
  readonly bob: TrunkCall;
}

const ALICE_ADDRESS = '127.0.0.2';
const BOB_ADDRESS = '127.0.0.3';

/** A User-Agent that nobody but its owner should ever read. */
const ALICE_AGENT: Header = ['User-Agent', 'AlicePhone/1.0'];
const BOB_AGENT: Header = ['User-Agent', 'BobSwitch/2.0'];

/** An SBC that several tests share, and the ports of the ends in its configuration. */
interface SharedSbc {
  readonly running: RunningSbc;
  readonly alicePort: number;
  readonly bobPort: number;
}

let shared: SharedSbc | undefined;

/** One SBC for all tests of the file that ask for nothing special of it; the two ends are new in each test. */
export function shareSbcInFile(options: Partial<StartOptions> = {}): void {
  beforeAll(async () => {
    const [alicePort = 0] = await freePorts(1, ALICE_ADDRESS);
    const [bobPort = 0] = await freePorts(1, BOB_ADDRESS);
    const ends = {
      alice: { address: ALICE_ADDRESS, port: alicePort },
      bob: { address: BOB_ADDRESS, port: bobPort },
    };
    const running = await startSbcBetween(ends, options);
    await startRelayThread(running);
    shared = { running, alicePort, bobPort };
  });
  afterAll(async () => {
    await shared?.running.close();
    shared = undefined;
  });
}

/** Opens both ends and, unless the file shares one that will do, the SBC; closed after the running test. */
export async function openCallStage(options: CallStageOptions = {}): Promise<CallStage> {
  const { alice: aliceOptions, bob: bobOptions, hidesTopology = true, ...sbcOptions } = options;
  const { transport = 'udp' } = sbcOptions;
  const common = Object.keys(sbcOptions).length === 0 ? shared : undefined;
  const ends = [
    { user: 'alice', address: ALICE_ADDRESS, port: common?.alicePort, ...aliceOptions },
    { user: 'bob', address: BOB_ADDRESS, port: common?.bobPort, ...bobOptions },
  ] as const;
  const [alice, bob] = await Promise.all(
    ends.map(async ({ port = 0, ...end }) =>
      closeAfterTest(await Rfc2833Trunk.open({ ...end, transport, port })),
    ),
  );
  if (alice === undefined || bob === undefined) throw new Error('an end is missing');
  const running =
    common === undefined
      ? closeAfterTest(await startSbcBetween({ alice: alice.sip, bob: bob.sip }, sbcOptions))
      : withoutOldRecords(common.running);
  const stage = { running, alice, bob };
  if (options.leavesCalls !== true) {
    closeAfterTest({
      close: async () => {
        await expectNothingLeft(running);
        if (hidesTopology) expectNoTrace(stage);
      },
    });
  }
  return stage;
}

function startSbcBetween(
  ends: { readonly alice: SipTarget; readonly bob: SipTarget },
  options: Partial<StartOptions> = {},
): Promise<RunningSbc> {
  return startLoopbackSbc({
    carrier: ends.bob,
    phone: ends.alice,
    host: '127.0.0.1',
    coreHost: '127.0.0.4',
    access: { 'kpml-interworking': 'disabled' },
    core: { 'rfc2833-mode': 'transparent' },
    ...options,
  });
}

/** The same SBC, with the records of calls from now on; that of the last call may still be on its way to the file. */
export function withoutOldRecords(running: RunningSbc): RunningSbc {
  const sinceMs = Date.now();
  const isNew = (record: unknown): boolean =>
    isCdr(record) && Date.parse(record.timestamps.invite) >= sinceMs;
  return { ...running, cdrs: async () => (await running.cdrs()).filter((record) => isNew(record)) };
}

/** Alice calls, bob answers, audio runs both ways. */
export async function aliceCallsBob({ alice, bob, running }: CallStage): Promise<PlainCall> {
  const [aliceCall, bobCall] = await Promise.all([
    alice.call({ to: '5551000', via: running.access, headers: [ALICE_AGENT] }),
    bob.answer(),
  ]);
  return withAudio({ alice: aliceCall, bob: bobCall });
}

/** Bob calls, alice answers, audio runs both ways. */
export async function bobCallsAlice({ alice, bob, running }: CallStage): Promise<PlainCall> {
  const [bobCall, aliceCall] = await Promise.all([
    bob.call({ to: 'alice', via: running.core, headers: [BOB_AGENT] }),
    alice.answer(),
  ]);
  return withAudio({ alice: aliceCall, bob: bobCall });
}

/** Alice hangs up, bob hears of it. */
export async function finish(call: PlainCall): Promise<void> {
  await call.alice.hangUp();
  await call.bob.waitForEnd();
}

/** Waits until each end has received `count` more packets of audio. */
export async function audioBothWays(call: PlainCall, count = 3): Promise<void> {
  await Promise.all([audioAt(call.alice, count), audioAt(call.bob, count)]);
}

/** Waits until `end` has received `count` more packets of audio. */
export async function audioAt(end: VoiceCall, count = 3): Promise<void> {
  const before = end.rtp.received.length;
  await waitFor('audio', () => end.rtp.received.length >= before + count);
}

/** Who hears something for so long is not silent; what was under way on a machine that stalls is there sooner. */
const LOUD_MS = 10_000;

/** Whether `end` receives nothing new for `quietMs`, after what was under way has arrived. */
export async function isSilentAt(end: VoiceCall, quietMs = 150): Promise<boolean> {
  let count = end.rtp.received.length;
  let quietSinceMs = performance.now();
  try {
    await waitFor(
      'silence',
      () => {
        if (end.rtp.received.length !== count) quietSinceMs = performance.now();
        count = end.rtp.received.length;
        return performance.now() - quietSinceMs >= quietMs;
      },
      { timeoutMs: LOUD_MS },
    );
    return true;
  } catch {
    return false;
  }
}

/** The first `count` call records once they are written, and whatever came with them. */
export async function callRecords(running: RunningSbc, count: number): Promise<CdrRecord[]> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const records = (await running.cdrs()).filter((record) => isCdr(record));
    if (records.length >= count) return records;
    if (performance.now() > deadlineMs) throw new Error(`${records.length} CDRs, not ${count}`);
    await sleep(10);
  }
}

function isCdr(record: unknown): record is CdrRecord {
  return typeof record === 'object' && record !== null && 'cdrId' in record;
}

/** An offer of a peer that has no media socket of its own. */
export function plainOffer(peer: SipPeer, rtpPort = 40_000): string {
  return buildSdp({ address: peer.address, rtpPort });
}

/** Resolves when no call, dialog or media port of the SBC is in use. */
export async function expectNothingLeft({ sbc, yaml }: RunningSbc): Promise<void> {
  const left = (): string[] => {
    const ports = Object.entries(sbc.media.portsFree).map(([realm, free]) => {
      const held = pairsOf(yaml, realm) - free;
      return held === 0 ? [] : [`${held} port pairs of ${realm}`];
    });
    return [
      ...(sbc.calls.size === 0 ? [] : [`${sbc.calls.size} calls`]),
      ...(sbc.stack.dialogCount === 0 ? [] : [`${sbc.stack.dialogCount} dialogs`]),
      ...ports.flat(),
    ];
  };
  try {
    await waitFor('end of all calls', () => left().length === 0, { timeoutMs: PATIENCE_MS });
  } catch {
    throw new Error(`the SBC still holds ${left().join(', ')}`);
  }
}

/** Throws when one end was sent anything that names the other. */
export function expectNoTrace({ alice, bob }: CallStage): void {
  const found = [
    ...tracesOf(alice.sip, bob.sip).map((token) => `bob was shown ${token} of alice`),
    ...tracesOf(bob.sip, alice.sip).map((token) => `alice was shown ${token} of bob`),
  ];
  if (found.length > 0) throw new Error(found.join('\n'));
}

/** Tokens of `owner` (addresses, ids, tags, software) in what the SBC sent to `reader`. */
export function tracesOf(owner: SipPeer, reader: SipPeer): string[] {
  const received = reader.log.filter(({ direction }) => direction === 'received');
  const tokens = new Set([owner.address, 'AlicePhone', 'BobSwitch']);
  for (const { message } of owner.log) {
    const callId = headerValue(message, 'Call-ID');
    if (callId !== undefined) tokens.add(callId);
    for (const name of ['From', 'To']) {
      const tag = tagIn(headerValue(message, name) ?? '');
      if (tag !== undefined) tokens.add(tag);
    }
    const origin = /^o=(\S+ \d+) /m.exec(message.body)?.[1];
    if (origin !== undefined) tokens.add(`o=${origin} `);
  }
  return [...tokens].filter((token) => received.some(({ text }) => text.includes(token)));
}

/** The relay thread comes with the first stream; a test that is the first to call must not be blamed for it. */
export async function startRelayThread({ sbc, yaml }: RunningSbc): Promise<void> {
  const stream = await sbc.media.openStream({
    streamId: 'first',
    caller: portsOf(yaml, 'access'),
    callee: portsOf(yaml, 'core'),
    listener: {
      digitPressed: silent,
      digitReleased: silent,
      digitSent: silent,
      digitDropped: silent,
      inactive: silent,
      lost: silent,
    },
  });
  if (stream.type === 'stream') await stream.close();
}

const silent = (): void => {};

function portsOf(yaml: string, realm: string): LegPorts {
  const line = new RegExp(
    `name: ${realm},.*address: "([^"]+)", port-min: (\\d+), port-max: (\\d+)`,
  ).exec(yaml);
  if (line === null) throw new Error(`no realm ${realm}`);
  const [, address = '', portMin, portMax] = line;
  return { realm, address, portMin: Number(portMin), portMax: Number(portMax) };
}

function pairsOf(yaml: string, realm: string): number {
  const { portMin, portMax } = portsOf(yaml, realm);
  return (portMax - portMin + 1) / 2;
}

async function withAudio(call: PlainCall): Promise<PlainCall> {
  await waitFor('audio both ways', () =>
    [call.alice, call.bob].every(({ rtp }) => rtp.received.length > 2),
  );
  return call;
}
