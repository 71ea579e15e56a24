/** Nothing of one side's addresses and names may reach the other side, in whatever exchange. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSdp } from '../../../src/wire/sdp.ts';
import type { Side } from '../../../src/wire/side.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { anySdpText } from '../wire/sdp-samples.ts';
import { sdpOf, te, TestCall, text } from './offer-answer-fixtures.ts';

/** An SDP that shows its sender in as many places as there are. */
function chatty(side: Side, address: string): string {
  return (
    sdpOf(side, '0 101', ...te(101)).replace(
      's=phone\r\n',
      `s=PhoneWare at ${address}\r\ni=${address}\r\n`,
    ) +
    text(
      `a=rtcp:4001 IN IP4 ${address}`,
      `a=candidate:1 1 UDP 2130706431 ${address} 4000 typ host`,
      `a=candidate:2 1 UDP 1 203.0.113.77 4000 typ srflx raddr ${address} rport 4000`,
      'a=ice-ufrag:frag',
      'a=ice-pwd:password',
      `a=ssrc:1 cname:alice@${address}`,
      `a=x-nat:${address}:4000`,
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0',
    )
  );
}

describe('topology', () => {
  const call = new TestCall({ rfc2833Mode: 'preferred' }, { kpmlInterworking: true });
  const offer = call.offer('caller', chatty('caller', '10.1.1.1')).sdp ?? '';
  const answer = call.answer('callee', chatty('callee', '10.2.2.2')).sdp ?? '';
  const reOffer = call.offer('callee', `${chatty('callee', '10.2.2.2')}a=sendonly\r\n`).sdp ?? '';
  const reAnswer = call.answer('caller', `${chatty('caller', '10.1.1.1')}a=recvonly\r\n`).sdp ?? '';

  const anySender =
    /alice|bob|PhoneWare|203\.0\.113\.77|ice-|candidate|\b11 22\b|\b4000\b|\b5000\b/;
  test.each([
    ['offer', offer, /10\.1\.1\.1|192\.0\.2\.1/],
    ['answer', answer, /10\.2\.2\.2|198\.51\.100\.1/],
    ['re-offer', reOffer, /10\.2\.2\.2|198\.51\.100\.1/],
    ['answer to the re-offer', reAnswer, /10\.1\.1\.1|192\.0\.2\.1/],
  ])('the %s shows neither the sender nor the other leg', (_, sdp, addresses) => {
    expect(sdp).toContain('m=audio ');
    expect(sdp).toContain('a=crypto:1');
    expect(sdp).not.toMatch(addresses);
    expect(sdp).not.toMatch(anySender);
  });

  test('holds for any offer, and what is sent can be read', () => {
    fc.assert(
      fc.property(anySdpText, (offered) => {
        const any = new TestCall({ kpmlInterworking: true }, { rfc2833Mode: 'preferred' });
        const { sdp } = any.offer('caller', offered);
        expect(sdp).not.toMatch(/198\.51\.100\.7|2001:db8::7|alice/i);
        expect(() => parseSdp(sdp ?? '')).not.toThrow();
      }),
    );
  });

  test('any answer to any offer is forwarded or a WireError', () => {
    fc.assert(
      fc.property(anySdpText, anySdpText, (offered, answered) => {
        const any = new TestCall({ rfc2833Mode: 'preferred' }, { rfc2833Mode: 'preferred' });
        any.offer('caller', offered);
        const outcome = answerOf(any, answered);
        const isExpected = typeof outcome === 'string' || outcome instanceof WireError;
        expect(isExpected).toBe(true);
        expect(String(outcome)).not.toMatch(/198\.51\.100\.7/);
      }),
    );
  });
});

function answerOf(call: TestCall, answered: string): unknown {
  try {
    return call.answer('callee', answered).sdp;
  } catch (error) {
    return error;
  }
}
