/**
 * RTP bleed and injection, the short form of test/long/media-attack.ts: a third address sprays RTP, telephone-events
 * and RTCP over every media port while calls are set up, run, are renegotiated and move.
 */
import { expect, test } from 'vitest';
import { openCallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { attack } from '../support/media-attack.ts';

checkLeaksAfterEach();

const CALLS = 10;
/** What one leg may let in, or out, before its source is fixed. */
const BEFORE_LOCK = 5;

test.each([
  ['dgram', 'sdp', 0],
  ['dgram', 'learn-once', BEFORE_LOCK],
  ['ffi', 'sdp', 0],
  ['ffi', 'learn-once', BEFORE_LOCK],
])(
  'io %s, media-source %s: at most %i packets per leg before the lock, none behind it',
  async (io, mediaSource, most) => {
    const leg = { 'media-source': mediaSource };
    const stage = await openCallStage({
      mediaPorts: 2 * CALLS,
      access: { 'kpml-interworking': 'disabled', ...leg },
      core: { 'rfc2833-mode': 'transparent', ...leg },
      hidesTopology: false,
      edit: (yaml) => yaml.replace(/io: \w+/, `io: ${io}`),
    });
    const { alice, bob, running } = stage;
    const report = await attack({
      config: running,
      caller: alice,
      callee: bob,
      calls: CALLS,
      packetsPerSecond: 10_000,
      quietMs: 500,
    });

    for (const { stage: name, leaked, injected } of report.stages) {
      const legs = name === 'set-up' ? 2 * CALLS : name === 'move' ? CALLS : 0;
      expect({ name, isHeld: leaked <= legs * most && injected <= legs * most }).toEqual({
        name,
        isHeld: true,
      });
    }
    expect(report.keys.filter(({ heard, expected }) => heard !== expected)).toEqual([]);
    expect(report.presses).toBe(report.expectedPresses);
    expect(report.violations).toBeGreaterThan(100);
  },
);
