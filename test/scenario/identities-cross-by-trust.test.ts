/**
 *   alice 127.0.0.2 ── 127.0.0.1 [SBC] 127.0.0.4 ── bob 127.0.0.3
 *
 * Who calls and who answers: believed of trusted ends only, shown to the other end as he allows, with our host.
 */

import { describe, expect, test } from 'vitest';
import { type CallStage, openCallStage, plainOffer } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { type Header, headerValue, requiredHeader, type SipText } from '../support/sip-text.ts';

checkLeaksAfterEach();

const PAI: Header = ['P-Asserted-Identity', '"Alice" <sip:alice@127.0.0.2:5070>, <tel:+4930123>'];
const ID: Header = ['Privacy', 'id'];
const USER: Header = ['Privacy', 'user'];
const DIVERSION: Header = ['Diversion', '<sip:+49301@127.0.0.2>;reason=no-answer;counter=1'];

interface Shown {
  readonly from: string;
  readonly contact: string;
  readonly pai: string | undefined;
  readonly privacy: string | undefined;
  readonly diversion: string | undefined;
}

function shown(message: SipText): Shown {
  return {
    from: requiredHeader(message, 'From').replace(/;tag=.*/, ''),
    contact: headerValue(message, 'Contact') ?? '',
    pai: headerValue(message, 'P-Asserted-Identity'),
    privacy: headerValue(message, 'Privacy'),
    diversion: headerValue(message, 'Diversion'),
  };
}

/** What bob is shown of a call of alice, who sends `headers`. */
async function inviteWith(stage: CallStage, headers: readonly Header[]): Promise<Shown> {
  const { alice, bob, running } = stage;
  const body = plainOffer(alice.sip);
  const call = alice.sip.invite({ to: '1', via: running.access, headers, body });
  const incoming = await bob.sip.nextCall();
  incoming.reject(486);
  await call.finished();
  return shown(incoming.invite);
}

describe('a call', () => {
  test('between trusted ends says all of it', async () => {
    const trusted = { trust: 'trusted' };
    const stage = await openCallStage({ phoneLeg: trusted, carrierLeg: trusted });
    const own = `127.0.0.4:${stage.running.core.port}`;
    expect(await inviteWith(stage, [PAI, ID, DIVERSION])).toEqual({
      from: `<sip:alice@${own}>`,
      contact: `<sip:alice@${own}>`,
      pai: `"Alice" <sip:alice@${own}>, <tel:+4930123>`,
      privacy: 'id',
      diversion: '<sip:+49301@127.0.0.4>;reason=no-answer;counter=1',
    });
  });

  test('to an untrusted end says what the caller allows', async () => {
    const stage = await openCallStage({ phoneLeg: { trust: 'trusted' } });
    const own = `127.0.0.4:${stage.running.core.port}`;
    const nothing = { pai: undefined, privacy: undefined, diversion: undefined };
    const open = { from: `<sip:alice@${own}>`, contact: `<sip:alice@${own}>` };
    const hidden = {
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      contact: `<sip:anonymous@${own}>`,
    };
    const pai = `"Alice" <sip:alice@${own}>, <tel:+4930123>`;
    expect(await inviteWith(stage, [PAI, DIVERSION])).toEqual({ ...nothing, ...open, pai });
    expect(await inviteWith(stage, [PAI, ID])).toEqual({ ...nothing, ...hidden });
    expect(await inviteWith(stage, [PAI, USER])).toEqual({ ...nothing, ...hidden });
  });

  test('of an untrusted end asserts nothing', async () => {
    const stage = await openCallStage({ carrierLeg: { trust: 'trusted' } });
    const own = `127.0.0.4:${stage.running.core.port}`;
    expect(await inviteWith(stage, [PAI, ID, DIVERSION])).toEqual({
      from: `<sip:alice@${own}>`,
      contact: `<sip:alice@${own}>`,
      pai: undefined,
      privacy: 'id',
      diversion: undefined,
    });
  });
});

test('who answers is told by the same rules', async () => {
  const { alice, bob, running } = await openCallStage({ carrierLeg: { trust: 'trusted' } });
  const headers: Header[] = [['P-Asserted-Identity', '<sip:desk7@127.0.0.3>']];
  const body = plainOffer(alice.sip);
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  const incoming = await bob.sip.nextCall();
  incoming.ring({ headers: [...headers, ID] });
  const answered = incoming.answer({ headers, body: plainOffer(bob.sip) });
  const dialog = await outgoing.answered();
  await answered;
  const ringing = await outgoing.provisional(180);
  expect(headerValue(ringing, 'P-Asserted-Identity')).toBeUndefined();
  const own = `127.0.0.1:${running.access.port}`;
  expect(outgoing.final && headerValue(outgoing.final, 'P-Asserted-Identity')).toBe(
    `<sip:desk7@${own}>`,
  );
  expect(headerValue(outgoing.invite, 'Max-Forwards')).toBe('70');
  expect(headerValue(incoming.invite, 'Max-Forwards')).toBe('69');
  await dialog.bye();
});
