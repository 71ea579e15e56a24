import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseEventFormats,
  disableMedia,
  eventForClock,
  hasVoice,
  insertTelephoneEvents,
  removeTelephoneEvents,
  renumberFormats,
  setMediaAddress,
  voiceClockRates,
} from '../../../src/wire/sdp-edit.ts';
import { formatSdp, parseSdp, type Sdp } from '../../../src/wire/sdp.ts';
import { anySdpText, lines } from './sdp-samples.ts';

const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 't=0 0'];

function parse(...rest: string[]): Sdp {
  return parseSdp(lines(...HEAD, ...rest));
}

/** The lines behind the head. */
function tail(sdp: Sdp): string[] {
  return formatSdp(sdp).split('\r\n').slice(HEAD.length, -1);
}

function first(sdp: Sdp): Sdp['media'][number] {
  const media = sdp.media[0];
  if (media === undefined) throw new Error('no media section');
  return media;
}

describe('our address', () => {
  const ours = { address: '203.0.113.5', rtpPort: 20_000, rtcpPort: 20_001 };

  // oxfmt-ignore
  test.each([
    ['is added where the section has no c=', ['m=audio 4000/2 RTP/AVP 0', 'a=x'], ['m=audio 20000 RTP/AVP 0', 'c=IN IP4 203.0.113.5', 'a=x']],
    ['is added behind i=', ['m=audio 4000 RTP/AVP 0', 'i=voice', 'a=x'], ['m=audio 20000 RTP/AVP 0', 'i=voice', 'c=IN IP4 203.0.113.5', 'a=x']],
    ['replaces the first c=, further ones go', ['m=audio 4000 RTP/AVP 0', 'b=AS:1', 'c=IN IP4 9.9.9.9', 'c=IN IP4 9.9.9.8'], ['m=audio 20000 RTP/AVP 0', 'b=AS:1', 'c=IN IP4 203.0.113.5']],
    ['replaces a=rtcp in place', ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 9.9.9.9', 'a=rtcp:9 IN IP4 9.9.9.9', 'a=x'], ['m=audio 20000 RTP/AVP 0', 'c=IN IP4 203.0.113.5', 'a=rtcp:20001', 'a=x']],
  ])('%s', (_, before, after) => {
    expect(tail(setMediaAddress(parse(...before), 0, ours))).toEqual(after);
  });

  test('is left to the session where that says it', () => {
    const sdp = parse('c=IN IP4 203.0.113.5', 'm=audio 4000 RTP/AVP 0');
    expect(tail(setMediaAddress(sdp, 0, ours))).toEqual([
      'c=IN IP4 203.0.113.5',
      'm=audio 20000 RTP/AVP 0',
    ]);
  });

  test('comes with a=rtcp when RTCP is not on the next port', () => {
    const sdp = setMediaAddress(parse('m=audio 4000 RTP/AVP 0'), 0, { ...ours, rtcpPort: 30_000 });
    expect(tail(sdp).at(-1)).toBe('a=rtcp:30000');
    expect(first(sdp).rtcp).toEqual({ port: 30_000, address: undefined });
  });

  test('goes into the section meant and no other', () => {
    const sdp = parse('m=audio 1 RTP/AVP 0', 'm=audio 2 RTP/AVP 0', 'm=audio 3 RTP/AVP 0');
    expect(setMediaAddress(sdp, 1, ours).media.map((media) => media.port)).toEqual([1, 20_000, 3]);
  });
});

test('a disabled section keeps its formats', () => {
  const sdp = parse('m=audio 4000 RTP/AVP 0 8', 'a=rtcp:9 IN IP4 9.9.9.9', 'a=x');
  expect(tail(disableMedia(sdp, 0))).toEqual(['m=audio 0 RTP/AVP 0 8', 'a=x']);
});

describe('telephone-event', () => {
  const event = { payloadType: 101, clockRate: 8000, events: '0-15' };

  // oxfmt-ignore
  test.each([
    ['behind the codecs', ['m=audio 4 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', 'a=sendrecv'], ['m=audio 4 RTP/AVP 0 101', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', 'a=sendrecv']],
    ['before other attributes', ['m=audio 4 RTP/AVP 0', 'b=AS:1', 'a=sendrecv'], ['m=audio 4 RTP/AVP 0 101', 'b=AS:1', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', 'a=sendrecv']],
    ['at the end', ['m=audio 4 RTP/AVP 0'], ['m=audio 4 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15']],
    ['in place of a stray rtpmap', ['m=audio 4 RTP/AVP 0', 'a=rtpmap:101 iLBC/8000', 'a=fmtp:101 mode=30'], ['m=audio 4 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15']],
  ])('is inserted %s', (_, before, after) => {
    expect(tail(insertTelephoneEvents(parse(...before), 0, [event]))).toEqual(after);
  });

  test('is inserted once per format given, not at all for none', () => {
    const sdp = parse('m=audio 4 RTP/AVP 0');
    expect(insertTelephoneEvents(sdp, 0, [])).toBe(sdp);
    const both = insertTelephoneEvents(sdp, 0, [
      event,
      { payloadType: 102, clockRate: 48_000, events: '0-16' },
    ]);
    expect(first(both).telephoneEvents).toEqual([
      { payloadType: 101, clockRate: 8000, events: '0-15' },
      { payloadType: 102, clockRate: 48_000, events: '0-16' },
    ]);
  });

  test('is removed with rtpmap, fmtp and rtcp-fb', () => {
    const sdp = parse(
      'm=audio 4 RTP/AVP 0 101 8',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=rtcp-fb:101 nack',
      'a=rtcp-fb:* nack',
      'a=fmtp:8 x',
    );
    expect(tail(removeTelephoneEvents(sdp, 0))).toEqual([
      'm=audio 4 RTP/AVP 0 8',
      'a=rtcp-fb:* nack',
      'a=fmtp:8 x',
    ]);
  });

  test('stays where nothing else is on the m-line', () => {
    const sdp = parse('m=audio 4 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000');
    expect(removeTelephoneEvents(sdp, 0)).toEqual(sdp);
  });

  test('gets another number in every line that names it', () => {
    const sdp = parse(
      'm=audio 4 RTP/AVP 0 96',
      'a=rtpmap:96 telephone-event/8000',
      'a=fmtp:96 0-15',
      'a=rtcp-fb:96 nack',
      'a=x:96 y',
    );
    expect(tail(renumberFormats(sdp, 0, new Map([[96, 101]])))).toEqual([
      'm=audio 4 RTP/AVP 0 101',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=rtcp-fb:101 nack',
      'a=x:96 y',
    ]);
  });

  test('two formats exchange their numbers', () => {
    const sdp = parse(
      'm=audio 4 RTP/AVP 0 96 97',
      'a=rtpmap:96 telephone-event/8000',
      'a=rtpmap:97 telephone-event/48000',
    );
    const swapped = renumberFormats(
      sdp,
      0,
      new Map([
        [96, 97],
        [97, 96],
      ]),
    );
    expect(tail(swapped)).toEqual([
      'm=audio 4 RTP/AVP 0 97 96',
      'a=rtpmap:97 telephone-event/8000',
      'a=rtpmap:96 telephone-event/48000',
    ]);
  });

  test('keeps its number where the other one is taken', () => {
    const sdp = parse(
      'm=audio 4 RTP/AVP 0 96 101',
      'a=rtpmap:96 telephone-event/8000',
      'a=rtpmap:101 iLBC/8000',
    );
    expect(renumberFormats(sdp, 0, new Map([[96, 101]]))).toEqual(sdp);
  });

  test('is taken with the clock of the codec in use, else the first one', () => {
    const media = first(
      parse(
        'm=audio 4 RTP/AVP 0 101 102',
        'a=rtpmap:101 telephone-event/8000',
        'a=rtpmap:102 telephone-event/48000',
      ),
    );
    expect(eventForClock(media, 48_000)?.payloadType).toBe(102);
    expect(eventForClock(media, 16_000)?.payloadType).toBe(101);
    expect(eventForClock(first(parse('m=audio 4 RTP/AVP 0')), 8000)).toBeUndefined();
  });
});

describe('the number to insert with', () => {
  const none = { configured: 101, avoid: new Set<number>(), earlier: new Map<number, number>() };
  const opus = ['a=rtpmap:111 opus/48000/2'];

  // oxfmt-ignore
  test.each([
    ['the configured one', ['m=audio 4 RTP/AVP 0'], none, ['101/8000']],
    ['another configured one', ['m=audio 4 RTP/AVP 0'], { ...none, configured: 97 }, ['97/8000']],
    ['the next free one', ['m=audio 4 RTP/AVP 0 101 102', 'a=rtpmap:101 iLBC/8000'], none, ['103/8000']],
    ['not one that was used before', ['m=audio 4 RTP/AVP 0'], { ...none, avoid: new Set([101, 102]) }, ['103/8000']],
    ['96 after 127', ['m=audio 4 RTP/AVP 0'], { ...none, avoid: new Set(Array.from({ length: 27 }, (_, at) => 101 + at)) }, ['96/8000']],
    ['the one used for it earlier', ['m=audio 4 RTP/AVP 0'], { ...none, earlier: new Map([[8000, 98]]) }, ['98/8000']],
    ['none when all are taken', ['m=audio 4 RTP/AVP 0'], { ...none, avoid: new Set(Array.from({ length: 32 }, (_, at) => 96 + at)) }, []],
    ['one per clock rate, the configured one for 8000', ['m=audio 4 RTP/AVP 111 0', ...opus], none, ['101/8000', '102/48000']],
    ['48000 for Opus alone', ['m=audio 4 RTP/AVP 111', ...opus], none, ['101/48000']],
    ['not the one another clock rate had earlier', ['m=audio 4 RTP/AVP 111 0', ...opus], { ...none, earlier: new Map([[48_000, 101]]) }, ['102/8000', '101/48000']],
    ['none without a voice codec', ['m=audio 4 RTP/AVP 13 100', 'a=rtpmap:100 red/8000'], none, []],
  ])('is %s', (_, rest, numbering, expected) => {
    const formats = chooseEventFormats(first(parse(...rest)), numbering);
    expect(formats.map(({ payloadType, clockRate }) => `${payloadType}/${clockRate}`)).toEqual(expected);
  });

  test('is never held by another format, from whatever payload type configured', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 96, max: 127 }), { maxLength: 31 });
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.integer({ min: 96, max: 127 }),
        (held, avoided, configured) => {
          const media = first(parse(`m=audio 4 RTP/AVP 0 ${held.join(' ')}`));
          const avoid = new Set(avoided);
          const taken = new Set([...held, ...avoided]);
          const [chosen] = chooseEventFormats(media, { ...none, avoid, configured });
          const isFree = !taken.has(configured);
          expect(chosen === undefined).toBe(taken.size === 32);
          expect(taken.has(chosen?.payloadType ?? 0)).toBe(false);
          expect(chosen?.payloadType === configured).toBe(isFree);
        },
      ),
    );
  });
});

describe('voice', () => {
  // oxfmt-ignore
  test.each([
    ['PCMU', ['m=audio 4 RTP/AVP 0'], true, [8000]],
    ['G.722 and Opus', ['m=audio 4 RTP/AVP 9 111', 'a=rtpmap:111 opus/48000/2'], true, [8000, 48_000]],
    ['telephone-event and comfort noise', ['m=audio 4 RTP/AVP 13 101', 'a=rtpmap:101 telephone-event/8000'], false, []],
    ['a refused section', ['m=audio 0 RTP/AVP 0'], false, [8000]],
    ['video', ['m=video 4 RTP/AVP 34'], false, [90_000]],
  ])('%s', (_, rest, voice, rates) => {
    expect(hasVoice(first(parse(...rest)))).toBe(voice);
    expect(voiceClockRates(first(parse(...rest)))).toEqual(rates);
  });
});

describe('whatever the SDP', () => {
  const events = [{ payloadType: 101, clockRate: 8000, events: '0-15' }];
  const edits: Record<string, (sdp: Sdp) => Sdp> = {
    setMediaAddress: (sdp) =>
      setMediaAddress(sdp, 0, { address: '203.0.113.5', rtpPort: 2, rtcpPort: 3 }),
    disableMedia: (sdp) => disableMedia(sdp, 0),
    insertTelephoneEvents: (sdp) => insertTelephoneEvents(sdp, 0, events),
    removeTelephoneEvents: (sdp) => removeTelephoneEvents(sdp, 0),
    renumberFormats: (sdp) =>
      renumberFormats(
        sdp,
        0,
        new Map([
          [101, 96],
          [0, 120],
        ]),
      ),
  };

  test.each(Object.keys(edits))('%s keeps session, other sections and unrelated lines', (name) => {
    const edit = edits[name] ?? ((sdp) => sdp);
    fc.assert(
      fc.property(anySdpText, (text) => {
        const before = parseSdp(text);
        const after = edit(before);
        expect(parseSdp(formatSdp(after))).toEqual(after);
        expect(after.session).toEqual(before.session);
        expect(after.media.slice(1)).toEqual(before.media.slice(1));
        const related = /^(?:m=|c=|a=rtcp|a=rtpmap:|a=fmtp:)/;
        const unrelated = (sdp: Sdp): string[] =>
          sdp.media[0]?.lines.filter((line) => !related.test(line)) ?? [];
        expect(unrelated(after)).toEqual(unrelated(before));
      }),
    );
  });
});
