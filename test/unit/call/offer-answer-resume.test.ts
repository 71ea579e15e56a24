/** What is offered in place of a phone that leaves the offer to the other side (add-sdp-invite) while it is on hold. */
import { expect, test } from 'vitest';
import { ourSdp, sdpOf, TestCall } from './offer-answer-fixtures.ts';

const BOTH = { addSdpInvite: 'both' } as const;

test.each([
  ['sendonly', 'recvonly'],
  ['inactive', 'inactive'],
])('a phone that held by %s resumes by a re-INVITE without SDP', (held, answered) => {
  const call = new TestCall(BOTH);
  call.offer('caller', sdpOf('caller', '0'));
  call.answer('callee', sdpOf('callee', '0'));
  call.offer('caller', sdpOf('caller', '0', `a=${held}`));
  call.answer('callee', sdpOf('callee', '0', `a=${answered}`));

  const inserted = call.offer('caller', undefined);
  expect(inserted.sdp).toBe(ourSdp('callee', 3, 'm=audio 30000 RTP/AVP 0'));
});

test('an old-style hold (c=0.0.0.0) is over, too', () => {
  const call = new TestCall(BOTH);
  call.offer('caller', sdpOf('caller', '0').replace('c=IN IP4 10.1.1.1', 'c=IN IP4 0.0.0.0'));
  call.answer('callee', sdpOf('callee', '0'));

  expect(call.offer('caller', undefined).sdp).toContain('c=IN IP4 198.51.100.1');
});

test('a callee that holds the call itself goes on with it: its answer says so', () => {
  const call = new TestCall(BOTH);
  call.offer('caller', sdpOf('caller', '0'));
  call.answer('callee', sdpOf('callee', '0'));
  call.offer('callee', sdpOf('callee', '0', 'a=sendonly'));
  call.answer('caller', sdpOf('caller', '0', 'a=recvonly'));

  expect(call.offer('caller', undefined).sdp).not.toContain('recvonly');
  const toPhone = call.offer('callee', sdpOf('callee', '0', 'a=sendonly'));
  expect(toPhone.sdp).toContain('a=sendonly');
});

test('a section that is switched off stays so', () => {
  const call = new TestCall(BOTH);
  const video = 'm=video 0 RTP/AVP 96\r\n';
  call.offer('caller', sdpOf('caller', '0') + video);
  call.answer('callee', sdpOf('callee', '0') + video);

  expect(call.offer('caller', undefined).sdp).toContain('m=video 0 ');
});
