/**
 *   alice          SBC           bob
 *     | RTP <------>|<----------->|     both are heard
 *     | RTP ------->|------------>|     bob goes silent for some seconds, and comes back
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  type CallStage,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const LONG_MS = 30_000;

/** The rows about media of the only call. */
function mediaRows({ running: { sbc } }: CallStage, callId: string): string[] {
  const rows = sbc.ladder.ladder(callId)?.rows ?? [];
  return rows.flatMap(({ kind, leg, summary }) =>
    kind === 'media' ? [`${leg ?? 'call'}: ${summary}`] : [],
  );
}

test(
  'who is heard from where, when only one is, and that it is over',
  { timeout: 3 * LONG_MS },
  async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    await audioBothWays(call);
    const [{ id } = { id: '' }] = stage.running.sbc.calls.list();
    const sees = async (part: string): Promise<void> => {
      await waitFor(part, () => mediaRows(stage, id).some((row) => row.includes(part)), {
        timeoutMs: LONG_MS,
        details: () => mediaRows(stage, id).join('\n'),
      });
    };
    await sees('caller: first packet from 127.0.0.2:');
    await sees('callee: first packet from 127.0.0.3:');
    call.bob.rtp.stopAudio();
    await sees('callee: one way: only the caller is heard');
    call.bob.rtp.startAudio();
    await sees('call: no longer one way');
    await finish(call);
    await sees('callee: stream 0 closed: ');
    const rows = mediaRows(stage, id);
    expect(rows[0]).toMatch(/^call: stream 0 opened: /);
    expect(rows.filter((row) => row.includes('first packet'))).toHaveLength(2);
  },
);
