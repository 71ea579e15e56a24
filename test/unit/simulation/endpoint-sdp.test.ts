import { describe, expect, test } from 'vitest';
import { EndpointSdp } from '../../../src/simulation/endpoint-sdp.ts';
import { parsePreset } from '../../../src/simulation/sdp-preset.ts';
import type { SdpSource } from '../../../src/simulation/scenario.ts';

const HERE = { address: '192.0.2.1', port: 40_000 };
const THERE = { address: '192.0.2.2', port: 50_000 };

function source(preset: string): SdpSource {
  const found = parsePreset(preset);
  if (found.type === 'unknown') throw new Error(`${preset} is no preset`);
  return found;
}

function audioLine(sdp: string): string {
  return /^m=audio .*$/m.exec(sdp)?.[0].trim() ?? '';
}

describe('an answer', () => {
  test.each<[offer: string, own: string, answered: string]>([
    ['g711+2833', 'g711+2833', 'm=audio 40000 RTP/AVP 0 8 101'],
    ['g711+2833:96', 'g711a+2833', 'm=audio 40000 RTP/AVP 8 96'],
    ['g711+2833', 'g711', 'm=audio 40000 RTP/AVP 0 8'],
    ['g722+g711u', 'g711+2833', 'm=audio 40000 RTP/AVP 0'],
    ['g729', 'g711', 'm=audio 0 RTP/AVP 18'],
  ])('to %s of an end with %s', (offered, own, answered) => {
    const there = new EndpointSdp(source(offered), THERE);
    const here = new EndpointSdp(source(own), HERE);
    const offer = there.offer();
    expect(audioLine(here.answer(offer))).toBe(answered);
    expect(here.canAnswer(offer)).toBe(!answered.startsWith('m=audio 0'));
  });
});

describe('what an exchange comes to', () => {
  test('is where to send, as what, and which number telephone-events have', () => {
    const there = new EndpointSdp(source('g711a+2833:96'), THERE);
    const here = new EndpointSdp(source('g711+2833'), HERE);
    const offer = there.offer();
    const answer = here.answer(offer);
    expect(here.agreement(offer)).toEqual({
      remote: THERE,
      payloadType: 8,
      clockRate: 8000,
      sentEvents: 96,
      receivedEvents: [96],
    });
    expect(there.agreement(answer)).toMatchObject({ remote: HERE, sentEvents: 96 });
  });

  test.each([
    ['sendonly', undefined],
    ['inactive', undefined],
    ['sendrecv', THERE],
  ] as const)('of an offer that is %s', (direction, remote) => {
    const there = new EndpointSdp(source('g711'), THERE);
    const here = new EndpointSdp(source('g711'), HERE);
    const offer = there.offer(direction);
    here.answer(offer);
    expect(here.agreement(offer)?.remote).toEqual(remote);
  });
});

const WRITTEN = [
  'v=0',
  'o=x 7 41 IN IP4 192.0.2.9',
  's= a name',
  'c=IN IP4 192.0.2.9',
  'b=AS:64',
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=ptime:20',
];
const AS_WRITTEN = `${WRITTEN.join('\r\n')}\r\n`;

/** The written description with another version and direction. */
function later(version: number, direction: string): string {
  return `${AS_WRITTEN.replace(' 7 41 ', ` 7 ${version} `)}a=${direction}\r\n`;
}

describe('a description given as text', () => {
  test.each(['\n', '\r\n'])('is sent as it is, line by line, with lines that end in %j', (end) => {
    const text = `${WRITTEN.join(end)}${end}`;
    const there = new EndpointSdp({ type: 'text', text }, THERE);
    const here = new EndpointSdp({ type: 'text', text }, HERE);
    expect(here.answer(there.offer())).toBe(AS_WRITTEN);
  });

  test('changes with a hold and a resume, and not with an offer that asks for nothing else', () => {
    const here = new EndpointSdp({ type: 'text', text: AS_WRITTEN }, HERE);
    const offers = [here.offer(), here.offer(), here.offer('sendonly'), here.offer('sendrecv')];
    expect(offers).toEqual([AS_WRITTEN, AS_WRITTEN, later(42, 'sendonly'), later(43, 'sendrecv')]);
  });

  test('answers a hold and a resume of the other end', () => {
    const there = new EndpointSdp(source('g711'), THERE);
    const here = new EndpointSdp({ type: 'text', text: AS_WRITTEN }, HERE);
    const offers = [there.offer(), there.offer('sendonly'), there.offer('sendrecv')];
    expect(offers.map((offer) => here.answer(offer))).toEqual([
      AS_WRITTEN,
      later(42, 'recvonly'),
      later(43, 'sendrecv'),
    ]);
  });

  test('of a re-INVITE is sent as it is too', () => {
    const here = new EndpointSdp(source('g711'), HERE);
    here.offer();
    const text = AS_WRITTEN.replace('a=ptime:20', 'a=inactive');
    expect(here.offer('sendrecv', { type: 'text', text })).toBe(text);
    expect(here.offer('sendrecv')).toBe(
      text.replace(' 7 41 ', ' 7 42 ').replace('inactive', 'sendrecv'),
    );
  });
});

test('what differs has the next version, and a hold is what was sent before', () => {
  const here = new EndpointSdp(source('g711'), HERE);
  const first = here.offer();
  const held = here.offer('sendonly');
  expect(held).toBe(first.replace(' 1 1 ', ' 1 2 ').replace('a=sendrecv', 'a=sendonly'));
});

test('a description given as text says itself where its RTP is awaited', () => {
  const text =
    'v=0\r\no=x 7 3 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n';
  const here = new EndpointSdp({ type: 'text', text }, HERE);
  expect(here.place).toEqual({ address: '192.0.2.9', port: 6000 });
});
