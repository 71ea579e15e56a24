/**
 * The decision table, row by row. Columns of `when`:
 *
 *   K_A ae_A te_A M_A  K_B M_B te_B ae_B H_B [te in the ACK]
 *
 * `+` yes, `0` no, `.` any (both are tried), several modes: each is tried, `?` no SDP in the INVITE
 * (te_B is then the callee's offer). K kpml-interworking, ae Allow-Events: kpml, te
 * telephone-event, M rfc2833-mode, H hairpin flag. INS te inserted; ADD, DEL, KEEP: the kpml token.
 */
import { describe, expect, test } from 'vitest';
import { ROW_NAMES } from '../../../src/dtmf/interworking-rows.ts';
import { run, situation, situations, subscriptions } from './interworking-situation.ts';

interface Row {
  readonly row: string;
  readonly when: string;
  readonly toCallee: string;
  readonly toCaller: string;
  /** Translator of the digits of the caller. */
  readonly digits: string;
  /** `SBC->x` we subscribe, `x->SBC` we answer, `x->y` relayed; every other SUBSCRIBE gets 489. */
  readonly subscribe: string;
}

// oxfmt-ignore
const TABLE: readonly Row[] = [
  { row: 'K1',  when: '+ + 0 TP 0 P + 0 0',       toCallee: 'INS; DEL',     toCaller: 'no te; ADD',   digits: 'kpml-to-2833', subscribe: 'SBC->caller, caller->SBC' },
  { row: 'K2',  when: '+ 0 0 TP 0 P + 0 0',       toCallee: 'INS',          toCaller: 'no te; ADD',   digits: 'kpml-to-2833', subscribe: 'SBC->caller, caller->SBC' },
  { row: 'K3',  when: '+ + 0 TPD 0 P 0 0 0',      toCallee: 'INS; DEL',     toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'K4',  when: '+ + 0 TPD 0 T 0 0 0',      toCallee: 'no te; DEL',   toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'K5',  when: '+ + 0 TPD 0 D 0 0 0',      toCallee: 'no te; DEL',   toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'K6',  when: '0 + 0 TPD 0 P . 0 .',      toCallee: 'INS; DEL',     toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'K6',  when: '0 + 0 TPD 0 T 0 0 .',      toCallee: 'no te; DEL',   toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'K7',  when: '0 + 0 TPD + T 0 + .',      toCallee: 'no te; KEEP',  toCaller: 'no te; DEL',   digits: 'kpml-relay',   subscribe: 'callee->caller' },
  { row: 'K8',  when: '+ + 0 TP + T 0 + .',       toCallee: 'no te; KEEP',  toCaller: 'no te; KEEP',  digits: 'kpml-relay',   subscribe: 'caller->callee, callee->caller' },
  { row: 'K9',  when: '+ + 0 TP + P + 0 0',       toCallee: 'INS; KEEP',    toCaller: 'no te; ADD',   digits: 'kpml-to-2833', subscribe: 'SBC->caller, caller->SBC' },
  { row: 'K9',  when: '+ + 0 TP + P + + 0',       toCallee: 'INS; KEEP',    toCaller: 'no te; KEEP',  digits: 'kpml-to-2833', subscribe: 'SBC->caller, caller->callee' },
  { row: 'K10', when: '+ + 0 TP + P 0 + .',       toCallee: 'INS; KEEP',    toCaller: 'no te; KEEP',  digits: 'kpml-relay',   subscribe: 'caller->callee, callee->caller' },
  { row: 'K11', when: '+ + + TPD 0 TPD + 0 0',    toCallee: 'te; DEL',      toCaller: 'te',           digits: 'rtp-relay',    subscribe: '' },
  { row: 'K12', when: '+ + + P 0 TPD 0 0 0',      toCallee: 'te; DEL',      toCaller: 'te',           digits: 'none',         subscribe: '' },
  { row: 'K13', when: '+ + ? TP 0 P + 0 0 0',     toCallee: 'no SDP; DEL',  toCaller: 'te; ADD',      digits: 'kpml-to-2833', subscribe: 'SBC->caller, caller->SBC' },
  { row: 'K14', when: '+ + ? TP 0 T + 0 0 0',     toCallee: 'no SDP; DEL',  toCaller: 'te',           digits: 'none',         subscribe: '' },
  { row: 'K14', when: '+ + ? TP 0 T + 0 0 +',     toCallee: 'no SDP; DEL',  toCaller: 'te',           digits: 'rtp-relay',    subscribe: '' },
  { row: 'Q1',  when: '. 0 + T + T 0 0 0',        toCallee: 'te; ADD',      toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'Q1',  when: '0 0 + T + T 0 + 0',        toCallee: 'te; ADD',      toCaller: 'no te; DEL',   digits: 'none',         subscribe: '' },
  { row: 'Q2',  when: '0 0 + P + T 0 + 0',        toCallee: 'te; ADD',      toCaller: 'te; DEL',      digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q2',  when: '+ 0 + P + T 0 + 0',        toCallee: 'te; ADD',      toCaller: 'te; KEEP',     digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q3',  when: '. 0 + T + P 0 0 0',        toCallee: 'te; ADD',      toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'Q3',  when: '0 0 + T + P 0 + 0',        toCallee: 'te; ADD',      toCaller: 'no te; DEL',   digits: 'none',         subscribe: '' },
  { row: 'Q4',  when: '0 0 + P + P 0 + 0',        toCallee: 'te; ADD',      toCaller: 'te; DEL',      digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q4',  when: '+ 0 + P + P 0 + 0',        toCallee: 'te; ADD',      toCaller: 'te; KEEP',     digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q5',  when: '0 0 + TP + TP + 0 0',      toCallee: 'te; ADD',      toCaller: 'te',           digits: 'rtp-relay',    subscribe: '' },
  { row: 'Q5',  when: '0 0 + TP + TP + + 0',      toCallee: 'te; ADD',      toCaller: 'te; DEL',      digits: 'rtp-relay',    subscribe: '' },
  { row: 'Q6',  when: '0 0 + P + TP + + +',       toCallee: 'te; ADD',      toCaller: 'te; DEL',      digits: 'rtp-relay',    subscribe: 'callee->SBC' },
  { row: 'Q7',  when: '. 0 + P + TP 0 0 0',       toCallee: 'te; ADD',      toCaller: 'te',           digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q8',  when: '. 0 + D + TPD 0 0 .',      toCallee: 'te',           toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'Q9',  when: '. 0 + P 0 TPD 0 0 .',      toCallee: 'te',           toCaller: 'te',           digits: 'none',         subscribe: '' },
  { row: 'Q10', when: '0 0 0 P + T 0 0 .',        toCallee: 'no te',        toCaller: 'no te',        digits: 'none',         subscribe: '' },
  { row: 'Q11', when: '0 + + P + TP 0 + 0',       toCallee: 'te; KEEP',     toCaller: 'te; DEL',      digits: 'kpml-relay',   subscribe: 'SBC->callee, callee->caller' },
  { row: 'Q11', when: '+ + + P + TP 0 + 0',       toCallee: 'te; KEEP',     toCaller: 'te; KEEP',     digits: 'kpml-relay',   subscribe: 'SBC->callee, callee->caller' },
  { row: 'Q12', when: '0 + + P + TP 0 + +',       toCallee: 'te; KEEP',     toCaller: 'te; DEL',      digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q12', when: '0 + + P + TP + + +',       toCallee: 'te; KEEP',     toCaller: 'te; DEL',      digits: 'rtp-relay',    subscribe: 'callee->SBC' },
  { row: 'Q13', when: '0 0 ? P + T 0 + 0 +',      toCallee: 'no SDP; ADD',  toCaller: 'INS; DEL',     digits: '2833-to-kpml', subscribe: 'SBC->callee, callee->SBC' },
  { row: 'Q14', when: '0 0 ? P + T 0 + 0 0',      toCallee: 'no SDP; ADD',  toCaller: 'INS; DEL',     digits: 'none',         subscribe: '' },
];

describe('the decision table', () => {
  test.each(TABLE)('$row: $when', ({ row, when, toCallee, toCaller, digits, subscribe }) => {
    const found = situations(when.split(' '));
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) {
      const outcome = run(each);
      expect({
        each,
        row: outcome.row,
        toCallee: outcome.toCallee,
        toCaller: outcome.toCaller,
        digits: outcome.plan.callerToCallee.translator,
        subscribe: subscriptions(outcome.plan).join(', '),
      }).toEqual({ each, row, toCallee, toCaller, digits, subscribe });
    }
  });

  test('every row K and Q is in this test', () => {
    const rows = new Set(TABLE.map(({ row }) => row));
    const wanted = ROW_NAMES.filter((row) => row.startsWith('K') || row.startsWith('Q'));
    expect([...rows].toSorted()).toEqual([...wanted].toSorted());
  });

  test('Q6: the relayed digit is notified as well, Q5: it is not', () => {
    const q6 = situation('0 0 + P + T + + +'.split(' '));
    expect(run(q6).plan.callerToCallee.alsoNotify).toBe(true);
    expect(run({ ...q6, h: false }).plan.callerToCallee.alsoNotify).toBe(false);
  });

  test('K11 with kpml-interworking on both legs: 2833 wins, but a SUBSCRIBE is relayed', () => {
    const { plan } = run(situation('+ + + P + T + 0 0'.split(' ')));
    expect(plan.callerToCallee.translator).toBe('rtp-relay');
    expect(subscriptions(plan)).toEqual(['callee->caller']);
  });

  test('X1: digits of a KPML callee are fetched by a subscription to it', () => {
    const { plan } = run(situation('0 0 + P + T 0 + 0'.split(' ')));
    expect(plan.calleeToCaller).toMatchObject({ row: 'X1', translator: 'kpml-to-2833' });
  });

  test('X2: digits of a 2833 callee are notified to a KPML caller', () => {
    const { plan } = run(situation('+ + 0 T 0 P + 0 0'.split(' ')));
    expect(plan.calleeToCaller).toMatchObject({ row: 'X2', translator: '2833-to-kpml' });
  });

  test('C1: after a codec policy the mode does not touch SDP, translators follow what is negotiated', () => {
    const k1 = run(situation('+ + 0 T 0 P 0 0 0'.split(' ')), true);
    expect([k1.row, k1.toCallee, k1.toCaller]).toEqual(['C1', 'no te; DEL', 'no te']);
    const q2 = run(situation('0 0 + P + T 0 + 0'.split(' ')), true);
    expect([q2.row, q2.toCaller]).toEqual(['C1', 'no te; DEL']);
    const both = run(situation('0 0 + P + T + + 0'.split(' ')), true);
    expect(both.plan.callerToCallee.translator).toBe('rtp-relay');
    expect(both.plan.calleeToCaller.row).toBe('C1');
  });
});
