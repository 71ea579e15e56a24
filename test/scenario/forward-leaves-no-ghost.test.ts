/** Row 62: a caller who gives up while the feature keys move its call ends every leg of it, in every phase. */
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
import { statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

shareSbcInFile({
  ...forwardingSbc({
    applyTo: '[ 2301@pbx.example, 2302@pbx.example, 2303@pbx.example, 2304@pbx.example ]',
    calls: 'ring: 1s, dnd-response: "sip:2900@pbx.example", send-181: false',
  }),
  carrierLeg: { trust: 'trusted', 'diversion-headers': 'diversion' },
});
checkLeaksAfterEach();

test('CANCEL before, at and after the first forward', async () => {
  const stage = await openForwardStage();
  const { bob, running } = stage;
  await setFeature(stage, '2301', 'CallForwardingAlways', { status: true, forwardTo: '2924' });
  const finals = await Promise.all(
    Array.from({ length: 12 }, async (_, step) => {
      const outgoing = callAccount(stage, '2301');
      await sleep(step * 2);
      await outgoing.cancel();
      return statusOf(await outgoing.finished());
    }),
  );

  expect(new Set(finals)).toEqual(new Set([487]));
  await callRecords(running, 12);
  await waitFor('end', () => bob.sip.incoming.every(({ cancelled }) => cancelled !== undefined));
});

test('CANCEL while the target rings', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2302', 'CallForwardingBusy', { status: true, forwardTo: '2924' });
  const outgoing = callAccount(stage, '2302');
  (await stage.alice.sip.nextCall()).reject(486);
  const target = await stage.bob.sip.nextCall();
  target.ring();
  await outgoing.provisional(180);
  await outgoing.cancel();

  expect(statusOf(await outgoing.finished())).toBe(487);
  await target.waitForCancel();
  // Asked for by the configuration.
  expect(outgoing.provisionals.map(statusOf)).not.toContain(181);
});

test('DND with a URI as its answer sends the call there, told as the agent wants it', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2303', 'DoNotDisturb');
  const before = '<sip:0@x.example>;index=1, <sip:2303@x.example;cause=302>;index=1.1;mp=1';
  const outgoing = callAccount(stage, '2303', [['History-Info', before]]);
  const target = await stage.bob.sip.nextCall();
  await target.answer({ body: plainOffer(stage.bob.sip) });
  await (await outgoing.answered()).bye();
  await waitFor('end', () => target.dialog.isEnded);

  const { diversion, history } = forwardsIn(target);
  expect(diversion).toMatch(
    /^<sip:2303@pbx.example>;reason=user-busy;counter=1;privacy=off, <sip:0@[^>]*>;reason=unconditional;counter=1;privacy=off$/,
  );
  // As it came.
  expect(history).toMatch(/^<sip:0@[^>]*>;index=1, <sip:2303@[^>]*;cause=302>;index=1\.1;mp=1$/);
});

test('an account that is not listed rings', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2305', 'DoNotDisturb');
  const outgoing = callAccount(stage, '2305');
  (await stage.alice.sip.nextCall()).reject(404);

  expect(statusOf(await outgoing.finished())).toBe(404);
});

test('the caller hangs up a forwarded call, and nothing is left', async () => {
  const stage = await openForwardStage();
  const wish = { status: true, forwardTo: '2924', ringCount: 0 };
  await setFeature(stage, '2304', 'CallForwardingNoAnswer', wish);
  const outgoing = callAccount(stage, '2304');
  const target = await stage.bob.sip.nextCall();
  await target.answer({ body: plainOffer(stage.bob.sip) });
  await (await outgoing.answered()).bye();
  await waitFor('end', () => target.dialog.isEnded);

  const [record] = await callRecords(stage.running, 1);
  expect(record).toMatchObject({
    release: { side: 'caller', internalCode: 'hang-up' },
    forwarding: { steps: [{ feature: 'CallForwardingNoAnswer', to: 'sip:2924@pbx.example' }] },
  });
});
