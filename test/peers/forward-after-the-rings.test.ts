/**
 * Rows 62 and 72: the phone of the account rings, and nobody answers in time.
 *
 *   bob                    SBC                    alice            bob, as the target
 *    | INVITE 2401          | INVITE                |                 |
 *    |--------------------->|---------------------->|                 |
 *    |                  180 |                   180 |                 |
 *    |<---------------------|<----------------------|                 |
 *    |                      | CANCEL  (rings over)  |                 |
 *    |                  181 |---------------------->|                 |
 *    |<---------------------| INVITE 2424           |                 |
 *    |                      |---------------------------------------->|
 */
import { expect, test } from 'vitest';
import { callRecords, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import {
  callAccount,
  forwardingSbc,
  forwardsIn,
  openForwardStage,
  setFeature,
} from '../support/forward-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile(forwardingSbc({ calls: 'ring: 1s' }));
checkLeaksAfterEach();

const AFTER_TWO_RINGS = { status: true, forwardTo: '2424', ringCount: 2 };

test('the phone is cancelled and the target called', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2401', 'CallForwardingNoAnswer', AFTER_TWO_RINGS);
  const outgoing = callAccount(stage, '2401');
  const phone = await stage.alice.sip.nextCall();
  phone.ring();
  const cancel = await phone.waitForCancel();
  const target = await stage.bob.sip.nextCall();
  await target.answer({ body: plainOffer(stage.bob.sip) });
  await (await outgoing.answered()).bye();
  await waitFor('end', () => target.dialog.isEnded);

  expect(headerValue(cancel, 'Reason')).toContain('Q.850;cause=19');
  const { diversion, history } = forwardsIn(target);
  expect(diversion).toBe('<sip:2401@pbx.example>;reason=no-answer;counter=1;privacy=off');
  expect(history).toContain('<sip:2424@pbx.example;cause=408>;index=1.1;mp=1');
  expect(outgoing.provisionals.map(statusOf).filter((status) => status !== 100)).toEqual([
    180, 181,
  ]);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.attempts.map(({ code }) => code)).toEqual([487, 200]);
});

test('a phone that answers in the moment of the CANCEL has the call', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2402', 'CallForwardingNoAnswer', AFTER_TWO_RINGS);
  const outgoing = callAccount(stage, '2402');
  const phone = await stage.alice.sip.nextCall();
  phone.ring();
  const answering = new Promise<void>((resolve) => {
    const take = phone.receiveCancel.bind(phone);
    phone.receiveCancel = (cancel) => {
      void phone.answer({ body: plainOffer(stage.alice.sip) }).then(() => resolve());
      take(cancel);
    };
  });
  const dialog = await outgoing.answered();
  await answering;
  await dialog.bye();
  await waitFor('end', () => phone.dialog.isEnded);

  expect(stage.bob.sip.incoming).toEqual([]);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.attempts.map(({ code }) => code)).toEqual([200]);
  expect(record?.forwarding).toBeUndefined();
});

test('a phone that answers before, or refuses, has had its say', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2403', 'CallForwardingNoAnswer', AFTER_TWO_RINGS);
  const outgoing = callAccount(stage, '2403');
  const phone = await stage.alice.sip.nextCall();
  phone.ring();
  phone.reject(603);

  expect(statusOf(await outgoing.finished())).toBe(603);
  expect(stage.bob.sip.incoming).toEqual([]);
});

test('a caller who gives up while the phone rings ends it', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2404', 'CallForwardingNoAnswer', AFTER_TWO_RINGS);
  const outgoing = callAccount(stage, '2404');
  const phone = await stage.alice.sip.nextCall();
  phone.ring();
  await outgoing.provisional(180);
  await outgoing.cancel();

  expect(statusOf(await outgoing.finished())).toBe(487);
  await phone.waitForCancel();
  expect(stage.bob.sip.incoming).toEqual([]);
});
