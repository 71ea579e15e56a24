/**
 * Floods a whole SBC while one call with media and digits is up and trusted calls come and go:
 * `node test/long/sip-flood.ts [--method OPTIONS] [--seconds 60] [--rate 20000] [--sources 1] [--transport udp]
 * [--connections 1] [--forge 127.0.0.1]`; the last floods under the address of the session agents.
 * Exit code 0 only if the memory grew by 256 MB at most, the call was not touched and more than 99 % of the trusted
 * calls succeeded.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Flood, loopbackSources, ResidentSize } from '../support/flood.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import type { KpmlPhoneCall } from '../support/kpml-phone.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import type { LoopbackConfig } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import type { RecordedPacket } from '../support/rtp-peer.ts';
import { SbcProcess } from '../support/sbc-process.ts';
import { statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

const MEGABYTE = 1024 * 1024;
const MAX_GROWTH_BYTES = 256 * MEGABYTE;
const MIN_SUCCESS = 0.99;
const MAX_RTP_LOSS = 0.001;
const WARM_UP_CALLS = 50;
const CALL_PAUSE_MS = 100;
const SETTLE_MS = 3000;

interface Ends {
  readonly config: LoopbackConfig;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
}

interface Calls {
  placed: number;
  answered: number;
  readonly setUpMs: number[];
  readonly problems: string[];
}

async function placeCall({ phone, trunk, config }: Ends): Promise<[KpmlPhoneCall, TrunkCall]> {
  return Promise.all([phone.call({ to: '5551000', via: config.access }), trunk.answer()]);
}

/** Calls one after the other until told to stop. */
async function callOften(ends: Ends, calls: Calls, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const startedMs = performance.now();
    calls.placed += 1;
    try {
      const [caller, callee] = await placeCall(ends);
      calls.setUpMs.push(performance.now() - startedMs);
      await Promise.all([caller.hangUp(), callee.waitForEnd()]);
      calls.answered += 1;
    } catch (error) {
      calls.problems.push(String(error).split('\n')[0] ?? '');
    }
    await sleep(CALL_PAUSE_MS);
  }
}

/** A key a second in each call; gives what was pressed. */
async function pressOften(call: KpmlPhoneCall, isOver: () => boolean): Promise<string> {
  let pressed = '';
  while (!isOver()) {
    const key = String(pressed.length % 10);
    await call.press(key);
    pressed += key;
    await sleep(1000);
  }
  return pressed;
}

function lossOf(packets: readonly RecordedPacket[]): number {
  const first = packets[0]?.sequenceNumber ?? 0;
  let highest = 0;
  let last = 0;
  for (const { sequenceNumber } of packets) {
    // Unwrapped by the nearest step from the packet before.
    const step = ((sequenceNumber - first - last) << 16) >> 16;
    last += step;
    highest = Math.max(highest, last);
  }
  return packets.length === 0 ? 1 : 1 - packets.length / (highest + 1);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function metricLines({ api }: LoopbackConfig, name: string): Promise<string[]> {
  const response = await fetch(`http://${api.address}:${api.port}/metrics`);
  return (await response.text()).split('\n').filter((line) => line.startsWith(name));
}

/** One line of the report; false when it is not as it must be. */
function check(isGood: boolean, what: string): boolean {
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${what}`);
  return isGood;
}

const { values } = parseArgs({
  options: {
    method: { type: 'string', default: 'OPTIONS' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '20000' },
    sources: { type: 'string', default: '1' },
    forge: { type: 'string' },
    transport: { type: 'string', default: 'udp' },
    connections: { type: 'string', default: '1' },
  },
});

async function openEnds(): Promise<Ends> {
  const phone = await KpmlPhone.open({ user: 'phone' });
  const trunk = await Rfc2833Trunk.open({ user: 'trunk' });
  const config = await loopbackConfig({
    carrier: trunk.sip,
    phone: phone.sip,
    mediaPorts: 400,
    logLevel: 'warn',
  });
  return { config, phone, trunk };
}

async function main(): Promise<boolean> {
  const ends = await openEnds();
  // Strangers may call, but only numbers that have a route: the flood gets as far as a caller can get without one.
  const yaml = ends.config.yaml.replace(
    'from-realm: access, to: "*"',
    'from-realm: access, to: "555"',
  );
  const sbc = await SbcProcess.start(yaml);
  try {
    await waitFor('the SBC', () => sbc.output.includes('ready') || sbc.pid > 0);
    await ready(ends.config);
    return await measure(ends, sbc);
  } finally {
    await Promise.all([ends.phone.close(), ends.trunk.close()]);
    await sbc.close();
  }
}

async function ready({ api }: LoopbackConfig): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`http://${api.address}:${api.port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error('the SBC did not start');
}

async function measure(ends: Ends, sbc: SbcProcess): Promise<boolean> {
  const { config } = ends;
  const warmUp: Calls = { placed: 0, answered: 0, setUpMs: [], problems: [] };
  await callOften(ends, warmUp, () => warmUp.placed >= WARM_UP_CALLS);
  const [caller, callee] = await placeCall(ends);
  await Promise.all([caller.waitForAudio(), callee.waitForAudio()]);
  const size = new ResidentSize(sbc.pid);
  const before = size.nowBytes();
  const sources =
    values.forge === undefined ? loopbackSources(Number(values.sources)) : [values.forge];
  const flood = new Flood({
    method: values.method,
    user: '4930000',
    target: config.access,
    perSecond: Number(values.rate),
    seconds: Number(values.seconds),
    sources,
    transport: values.transport === 'tcp' ? 'tcp' : 'udp',
    connectionsPerSource: Number(values.connections),
  });
  const calls: Calls = { placed: 0, answered: 0, setUpMs: [], problems: [] };
  let isOver = false;
  const watched = [pressOften(caller, () => isOver), callOften(ends, calls, () => isOver)] as const;
  const result = await flood.ended();
  isOver = true;
  const [pressed] = await Promise.all(watched);
  const peak = size.peakBytes;
  const heard = await callee.waitForDigits(pressed.length).catch(() => callee.digits);
  const losses = [lossOf(caller.rtp.received), lossOf(callee.rtp.received)];
  await sleep(SETTLE_MS);
  const after = size.nowBytes();
  size.stop();
  const bye = await caller.hangUp();
  await callee.waitForEnd().catch(() => undefined);
  const dropped = await metricLines(config, 'sbc_sip_dropped_total{');
  console.log(
    `${values.method} over ${values.transport} from ${sources.length} source(s): ${result.sent} sent in ` +
      `${result.seconds.toFixed(1)} s = ${Math.round(result.sent / result.seconds)}/s of ${values.rate}/s asked for`,
  );
  console.log(dropped.join('\n'));
  const megabytes = [before, peak, after].map((bytes) => (bytes / MEGABYTE).toFixed(0));
  const worstLoss = Math.max(...losses);
  const share = calls.answered / calls.placed;
  const setUp = [warmUp, calls].map(
    ({ setUpMs }) =>
      `p50 ${percentile(setUpMs, 0.5).toFixed(0)} ms, p99 ${percentile(setUpMs, 0.99).toFixed(0)} ms`,
  );
  const results = [
    check(peak - before <= MAX_GROWTH_BYTES, `memory before/peak/after ${megabytes.join('/')} MB`),
    check(
      worstLoss < MAX_RTP_LOSS,
      `RTP loss of the call ${(worstLoss * 100).toFixed(3)} % of ${callee.rtp.received.length} packets`,
    ),
    check(heard === pressed, `digits pressed/heard ${pressed.length}/${heard.length}`),
    check(statusOf(bye) === 200, `BYE of the call: ${bye.startLine}`),
    check(
      share > MIN_SUCCESS,
      `trusted calls ${calls.answered} of ${calls.placed}; ${[...new Set(calls.problems)].join('; ')}`,
    ),
  ];
  console.log(`     set-up before the flood ${setUp[0]}; during it ${setUp[1]}`);
  console.log(
    `     log lines of the SBC: ${sbc.output.split('\n').filter((line) => line !== '').length}`,
  );
  return results.every(Boolean);
}

const isGood = await main();
console.log(isGood ? 'PASS' : 'FAIL');
process.exit(isGood ? 0 : 1);
