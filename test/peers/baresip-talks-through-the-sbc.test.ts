/**
 * A phone by other authors on one side of the SBC, our own endpoints on the other.
 *
 *   baresip 127.0.0.1 ── access 127.0.0.1 [SBC] core 127.0.0.4 ── trunk 127.0.0.3
 *   KPML phone 127.0.0.2 ── access 127.0.0.1 [SBC] core 127.0.0.4 ── baresip 127.0.0.1
 */
import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { Baresip, hasBaresip } from '../support/baresip.ts';
import {
  audioAt,
  callRecords,
  expectNothingLeft,
  isSilentAt,
  plainOffer,
} from '../support/call-stage.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk, type TrunkCall } from '../support/rfc2833-trunk.ts';
import { startLoopbackSbc, type RunningSbc, type StartOptions } from '../support/start-sbc.ts';
import { statusOf } from '../support/sip-text.ts';
import { PATIENCE_MS, waitFor } from '../support/wait-for.ts';

const isMissing = !hasBaresip() && env['CI'] === undefined;
const NUMBER = '5551000';
const POLL = { timeout: PATIENCE_MS, interval: 50 };

checkLeaksAfterEach();

async function startPhone(user: string): Promise<Baresip> {
  return closeAfterTest(await Baresip.start(user));
}

async function startSbc(options: Omit<StartOptions, 'host' | 'coreHost'>): Promise<RunningSbc> {
  const running = await startLoopbackSbc({ host: '127.0.0.1', coreHost: '127.0.0.4', ...options });
  return closeAfterTest(running);
}

interface PhoneStage {
  readonly phone: Baresip;
  readonly trunk: Rfc2833Trunk;
  readonly running: RunningSbc;
}

/** baresip in realm access, a trunk in realm core. */
async function openStage(): Promise<PhoneStage> {
  const phone = await startPhone('phone');
  const trunk = closeAfterTest(await Rfc2833Trunk.open({ address: '127.0.0.3' }));
  const running = await startSbc({
    phone,
    carrier: trunk.sip,
    access: { 'kpml-interworking': 'disabled' },
    core: { 'rfc2833-mode': 'transparent' },
  });
  return { phone, trunk, running };
}

async function phoneCalls({ phone, trunk, running }: PhoneStage): Promise<TrunkCall> {
  const { address, port } = running.access;
  const [call] = await Promise.all([
    trunk.answer(),
    phone.command('dial', `sip:${NUMBER}@${address}:${port}`),
  ]);
  await phone.waitForEvent('CALL_ESTABLISHED');
  return call;
}

async function trunkCalls({ phone, trunk, running }: PhoneStage): Promise<TrunkCall> {
  const calling = trunk.call({ to: 'phone', via: running.core });
  await phone.waitForEvent('CALL_INCOMING');
  await phone.command('accept');
  return calling;
}

/** Waits until the tone of the phone has arrived, and the phone has got something from here. */
async function audioBothWays(phone: Baresip, call: TrunkCall): Promise<void> {
  await audioAt(call, 5);
  const hasTone = call.rtp.received.some(
    ({ payload }) => payload.length === 160 && new Set(payload).size > 20,
  );
  expect(hasTone).toBe(true);
  await expect
    .poll(async () => heardBy(await phone.command('audio_debug')), POLL)
    .toBeGreaterThan(5);
}

/** Packets its jitter buffer has taken in, as it says itself. */
function heardBy(audioDebug: string): number {
  return Number(/seq_put=(\d+)/.exec(audioDebug)?.[1] ?? 0);
}

async function releaseOf({ running }: PhoneStage): Promise<unknown> {
  await expectNothingLeft(running);
  const [record] = await callRecords(running, 1);
  return record;
}

describe.skipIf(isMissing)('baresip', () => {
  test('calls, is heard and hears, presses keys, hangs up', async () => {
    const stage = await openStage();
    const call = await phoneCalls(stage);
    await audioBothWays(stage.phone, call);
    await stage.phone.command('sndcode', '159#');
    expect(await call.waitForDigits(4)).toBe('159#');
    await stage.phone.command('hangup');
    await call.waitForEnd();
    expect(await releaseOf(stage)).toMatchObject({
      ingress: { agent: 'phone', codec: 'PCMU/8000' },
      egress: { agent: 'carrier', codec: 'PCMU/8000' },
      numbers: { calledIn: NUMBER, callerIn: 'phone' },
      release: { side: 'caller', internalCode: 'hang-up' },
      dtmf: { ingressMethod: '2833', egressMethod: '2833', digitsIn: 4, digitsOut: 4, dropped: 0 },
    });
  });

  test('is called, gets keys, and the other side hangs up', async () => {
    const stage = await openStage();
    const call = await trunkCalls(stage);
    await audioBothWays(stage.phone, call);
    await call.press('27');
    await call.hangUp();
    await stage.phone.waitForEvent('CALL_CLOSED');
    expect(await releaseOf(stage)).toMatchObject({
      ingress: { agent: 'carrier' },
      egress: { agent: 'phone' },
      release: { side: 'caller', internalCode: 'hang-up' },
      dtmf: { digitsIn: 2, digitsOut: 2, dropped: 0 },
    });
  });

  test('refuses a call', async () => {
    const stage = await openStage();
    const outgoing = stage.trunk.sip.invite({
      to: 'phone',
      via: stage.running.core,
      body: plainOffer(stage.trunk.sip),
    });
    await stage.phone.waitForEvent('CALL_INCOMING');
    await stage.phone.command('hangup');
    expect(statusOf(await outgoing.finished())).toBe(486);
    expect(await releaseOf(stage)).toMatchObject({
      release: { side: 'callee', sipCode: 486, q850: 17, internalCode: 'callee-refused' },
    });
  });

  test('gives up a call that rings', async () => {
    const stage = await openStage();
    const { address, port } = stage.running.access;
    await stage.phone.command('dial', `sip:${NUMBER}@${address}:${port}`);
    const incoming = await stage.trunk.sip.nextCall();
    incoming.ring();
    await stage.phone.waitForEvent('CALL_RINGING');
    await stage.phone.command('hangup');
    await incoming.waitForCancel();
    expect(await releaseOf(stage)).toMatchObject({
      release: { side: 'caller', sipCode: 487, internalCode: 'caller-cancelled' },
    });
  });

  test('holds and resumes', async () => {
    const stage = await openStage();
    const call = await phoneCalls(stage);
    await audioBothWays(stage.phone, call);
    await stage.phone.command('hold');
    await waitFor('hold', () => call.remote.direction !== 'sendrecv');
    expect(await isSilentAt(call)).toBe(true);
    await stage.phone.command('resume');
    await waitFor('resume', () => call.remote.direction === 'sendrecv');
    await audioBothWays(stage.phone, call);
    await stage.phone.command('sndcode', '8');
    expect(await call.waitForDigits(1)).toBe('8');
    await call.hangUp();
    await stage.phone.waitForEvent('CALL_CLOSED');
    expect(await releaseOf(stage)).toMatchObject({ release: { side: 'callee' } });
  });

  test('is held and taken back by the other side', async () => {
    const stage = await openStage();
    const call = await trunkCalls(stage);
    await audioBothWays(stage.phone, call);
    const held = await call.reinvite('sendonly');
    expect(held.body).toContain('a=recvonly');
    const back = await call.reinvite('sendrecv');
    expect(back.body).not.toContain('a=recvonly');
    await audioBothWays(stage.phone, call);
    await stage.phone.command('hangup');
    await call.waitForEnd();
    expect(await releaseOf(stage)).toMatchObject({ release: { side: 'callee' } });
  });

  test('and a KPML phone press keys for each other', async () => {
    const phone = await startPhone(NUMBER);
    const kpml = closeAfterTest(await KpmlPhone.open({ address: '127.0.0.2' }));
    const running = await startSbc({ phone: kpml.sip, carrier: phone });
    const calling = kpml.call({ to: NUMBER, via: running.access });
    await phone.waitForEvent('CALL_INCOMING');
    await phone.command('accept');
    const call = await calling;
    await call.listen();
    await phone.command('sndcode', '70*');
    expect(await call.listener.waitForDigits(3)).toBe('70*');
    await call.press('36');
    const id = running.sbc.calls.list()[0]?.id ?? '';
    await waitFor('keys to the phone', () => running.sbc.ledger.summary(id).delivered >= 5);
    await phone.command('hangup');
    await call.waitForEnd();
    expect(call.problems()).toEqual([]);
    await expectNothingLeft(running);
    const [record] = await callRecords(running, 1);
    expect(record).toMatchObject({
      release: { side: 'callee', internalCode: 'hang-up' },
      dtmf: { ingressMethod: 'kpml', egressMethod: '2833', digitsIn: 5, digitsOut: 5, dropped: 0 },
    });
  });
});
