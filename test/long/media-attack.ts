/**
 * RTP bleed and injection against a whole SBC: `node test/long/media-attack.ts [--calls 200] [--rate 10000]
 * [--seconds 5]`. A third address sprays RTP, telephone-events and RTCP over every media port while calls are set
 * up, run, get a re-INVITE and move, with `media-source: sdp` and with `learn-once`. Exit code 0 only if the
 * stranger was sent nothing (at most five packets per leg before a source is learnt), nothing of its packets got
 * through behind the lock, and no key was lost, doubled or invented.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loopbackConfig } from '../support/loopback-config.ts';
import { attack } from '../support/media-attack.ts';
import type { AttackReport } from '../support/media-attack.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { SbcProcess } from '../support/sbc-process.ts';

const BEFORE_LOCK = 5;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '200' },
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
  },
});
const calls = Number(values.calls);

async function run(mediaSource: 'sdp' | 'learn-once'): Promise<AttackReport> {
  const caller = await Rfc2833Trunk.open({ user: 'caller' });
  const callee = await Rfc2833Trunk.open({ user: 'callee' });
  const leg = { 'media-source': mediaSource };
  const config = await loopbackConfig({
    carrier: callee.sip,
    phone: caller.sip,
    mediaPorts: 2 * calls,
    access: { 'kpml-interworking': 'disabled', ...leg },
    core: { 'rfc2833-mode': 'transparent', ...leg },
  });
  const sbc = await SbcProcess.start(config.yaml);
  try {
    const { address, port } = config.api;
    for (;;) {
      const answer = await fetch(`http://${address}:${port}/readyz`).catch(() => undefined);
      if (answer?.ok === true) break;
    }
    const quietMs = Number(values.seconds) * 1000;
    const packetsPerSecond = Number(values.rate);
    return await attack({ config, caller, callee, calls, packetsPerSecond, quietMs });
  } finally {
    await Promise.all([caller.close(), callee.close()]);
    await sbc.close();
  }
}

/** One line of the report; false when it is not as it must be. */
function check(isGood: boolean, what: string): boolean {
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${what}`);
  return isGood;
}

function judge(report: AttackReport, most: number): boolean {
  const results = report.stages.map(({ stage, leaked, injected }) => {
    const legs = stage === 'set-up' ? 2 * calls : stage === 'move' ? calls : 0;
    const isGood = leaked <= legs * most && injected <= legs * most;
    return check(
      isGood,
      `${stage}: ${leaked} leaked, ${injected} injected, ${legs * most} allowed`,
    );
  });
  const wrong = report.keys.filter(({ heard, expected }) => heard !== expected);
  const first = wrong[0];
  return [
    ...results,
    check(
      wrong.length === 0,
      `ends with other keys than pressed: ${wrong.length} ${first?.heard ?? ''}`,
    ),
    check(
      report.presses === report.expectedPresses,
      `presses counted ${report.presses} of ${report.expectedPresses}`,
    ),
    check(
      report.violations > 0,
      `packets of strangers counted: ${report.violations} of ${report.sent} sent`,
    ),
  ].every(Boolean);
}

let isGood = true;
for (const [mediaSource, most] of [
  ['sdp', 0],
  ['learn-once', BEFORE_LOCK],
] as const) {
  console.log(`media-source ${mediaSource}, ${calls} calls, ${values.rate} packets/s`);
  isGood = judge(await run(mediaSource), most) && isGood;
}
console.log(isGood ? 'PASS' : 'FAIL');
process.exit(isGood ? 0 : 1);
