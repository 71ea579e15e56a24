/**
 * `tonebridge demo`: a KPML phone and a telephone-event trunk call each other through a real SBC on loopback.
 *
 *   call 1   phone -> trunk   phone presses all 16 keys, then the trunk presses all 16
 *   call 2   trunk -> phone   both press all 16 at the same time
 *
 * What counts is what the two ends recorded; the SBC's ladder and ledger are printed beside it.
 */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { startSbc } from '../main.ts';
import type { Sbc } from '../main.ts';
import { formatResult } from './demo-report.ts';
import type { DemoCall, DemoDirection } from './demo-report.ts';
import { limited } from './limited.ts';
import { globalOptions } from './output.ts';
import { type Progress, progressOf } from './progress.ts';

const ALL_KEYS = '0123456789*#ABCD';
/** From one key of the phone to the next: a little more than tone and pause of the keys that the SBC makes of them. */
const KEY_MS = 180;
/** How long after the last key a double one would still be seen. */
const SETTLE_MS = 400;
const DEADLINE_MS = 30_000;
const CLOSE_MS = 5000;

type KpmlPhone = import('../../test/support/kpml-phone.ts').KpmlPhone;
type KpmlPhoneCall = import('../../test/support/kpml-phone.ts').KpmlPhoneCall;
type Rfc2833Trunk = import('../../test/support/rfc2833-trunk.ts').Rfc2833Trunk;
type TrunkCall = import('../../test/support/rfc2833-trunk.ts').TrunkCall;
type Target = import('../../test/support/sip-peer.ts').SipTarget;

interface Stage {
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
  readonly sbc: Sbc;
  /** Where the phone and the trunk send their calls. */
  readonly access: Target;
  readonly core: Target;
}

interface Connected {
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
}

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('call through a real SBC on loopback and prove that every key arrives once')
    .option('--ladder', 'print the messages of the second call too')
    .action(async (options: { ladder?: boolean }, command: Command) => {
      const isJson = globalOptions(command).json === true;
      const progress = progressOf(command);
      const code = await runDemo({ isVerbose: options.ladder === true, isJson, progress });
      // Nothing that is still open may keep the command from ending.
      process.exit(code);
    });
}

interface DemoOutput {
  readonly isVerbose: boolean;
  readonly isJson: boolean;
  readonly progress: Progress;
}

async function runDemo({ isVerbose, isJson, progress }: DemoOutput): Promise<number> {
  const closers: (() => Promise<unknown>)[] = [];
  let code = 1;
  try {
    const { calls, stage } = await limited('the demo', play(closers, progress), DEADLINE_MS);
    const { ledger, ladder } = stage.sbc;
    const isPassed = calls.every((call) => call.directions.every(hasArrived));
    progress.end();
    await print(
      isJson
        ? `${JSON.stringify({ isPassed, calls }, undefined, 2)}\n`
        : formatResult(calls, { ledger, ladder, isVerbose }),
    );
    code = isPassed ? 0 : 1;
  } catch (error) {
    const message = `demo failed: ${error instanceof Error ? error.message : String(error)}`;
    progress.end();
    await print(`${isJson ? JSON.stringify({ error: 'failed', message }) : message}\n`);
  }
  for (const close of closers.toReversed()) {
    await limited('closing', close(), CLOSE_MS).catch(() => undefined);
  }
  return code;
}

async function play(
  closers: (() => Promise<unknown>)[],
  progress: Progress,
): Promise<{ calls: DemoCall[]; stage: Stage }> {
  progress.show('starting the SBC, a phone and a trunk');
  const stage = await openStage(closers);
  return { calls: await playCalls(stage, progress), stage };
}

/** Opens both ends and the SBC between them; each is handed to `closers` as soon as it is open. */
async function openStage(closers: (() => Promise<unknown>)[]): Promise<Stage> {
  const { KpmlPhone } = await import('../../test/support/kpml-phone.ts');
  const { Rfc2833Trunk } = await import('../../test/support/rfc2833-trunk.ts');
  const { loopbackConfig } = await import('../../test/support/loopback-config.ts');
  const phone = await KpmlPhone.open({ user: 'phone' });
  closers.push(() => phone.close());
  const trunk = await Rfc2833Trunk.open({ user: 'trunk' });
  closers.push(() => trunk.close());
  const loopback = await loopbackConfig({
    carrier: trunk.sip,
    phone: phone.sip,
    logLevel: 'silent',
  });
  const loaded = loadConfig({ text: loopback.yaml, file: 'demo', env: {} });
  if (loaded.type === 'invalid') {
    throw new Error(loaded.problems.map((problem) => problem.message).join('; '));
  }
  const sbc = await startSbc(loaded.config, {});
  closers.push(() => sbc.close());
  return { phone, trunk, sbc, access: loopback.access, core: loopback.core };
}

async function playCalls(stage: Stage, progress: Progress): Promise<DemoCall[]> {
  progress.show('call 1 of 2: the phone calls the trunk');
  const first = await connect(
    stage.phone.call({ to: '5551000', via: stage.access }),
    stage.trunk.answer(),
  );
  await first.phone.press(ALL_KEYS, KEY_MS);
  await first.trunk.waitForDigits(ALL_KEYS.length).catch(() => undefined);
  await first.trunk.press(ALL_KEYS);
  const firstResult = await finish('the phone calls the trunk', first);
  progress.show('call 2 of 2: the trunk calls the phone');
  const second = await connect(
    stage.phone.answer(),
    stage.trunk.call({ to: 'phone', via: stage.core }),
  );
  await Promise.all([second.phone.press(ALL_KEYS, KEY_MS), second.trunk.press(ALL_KEYS)]);
  return [firstResult, await finish('the trunk calls the phone', second)];
}

/** Waits until both ends are in the call and subscribed to, as far as they subscribe. */
async function connect(
  phoneCall: Promise<KpmlPhoneCall>,
  trunkCall: Promise<TrunkCall>,
): Promise<Connected> {
  const [phone, trunk] = await Promise.all([phoneCall, trunkCall]);
  await Promise.all([phone.listen(), phone.keypad.waitForSubscription()]);
  return { phone, trunk };
}

/** Waits for the last keys and for doubles, hangs up, and reads both recordings. */
async function finish(title: string, { phone, trunk }: Connected): Promise<DemoCall> {
  const expected = ALL_KEYS.length;
  await Promise.all([
    phone.listener.waitForDigits(expected).catch(() => undefined),
    trunk.waitForDigits(expected).catch(() => undefined),
  ]);
  await new Promise((resolve) => {
    setTimeout(resolve, SETTLE_MS);
  });
  const call: DemoCall = {
    title,
    directions: [phoneToTrunk({ phone, trunk }), trunkToPhone({ phone, trunk })],
    remarks: [
      ...trunk.eventProblems({ mostEndPackets: 6 }),
      ...phone.problems(),
      ...trunk.audioProblems().map((problem) => `audio at the trunk: ${problem}`),
      ...phone.audioProblems().map((problem) => `audio at the phone: ${problem}`),
    ],
    audioPackets: { phone: phone.rtp.received.length, trunk: trunk.rtp.received.length },
  };
  await phone.hangUp();
  await trunk.waitForEnd();
  return call;
}

function phoneToTrunk({ phone, trunk }: Connected): DemoDirection {
  const pressedAtMs = phone.keypad.pressed.map((pressed) => pressed.atMs);
  const heardAtMs = trunk.events.map((event) => event.reports[0]?.packet.atMs);
  return {
    name: 'phone (KPML) -> trunk (telephone-event)',
    received: trunk.digits,
    expected: ALL_KEYS,
    latenciesMs: differences(pressedAtMs, heardAtMs),
  };
}

function trunkToPhone({ phone, trunk }: Connected): DemoDirection {
  const heardAtMs = phone.listener.reports.map((report) => report.atMs);
  return {
    name: 'trunk (telephone-event) -> phone (KPML)',
    received: phone.listener.digits,
    expected: ALL_KEYS,
    latenciesMs: differences(trunk.rtp.pressedAtMs, heardAtMs),
  };
}

function hasArrived(direction: DemoDirection): boolean {
  return direction.received === direction.expected;
}

/** Pairs the moments by their place; what has no counterpart is left out. */
function differences(
  fromMs: readonly number[],
  toMs: readonly (number | undefined)[],
): readonly number[] {
  return fromMs.flatMap((from, index) => {
    const to = toMs[index];
    return to === undefined ? [] : [to - from];
  });
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
