import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEventCodes } from '../../../src/wire/sdp-media.ts';
import {
  buildSdp,
  formatSdp,
  MAX_SDP_LENGTH,
  MAX_SDP_LINES,
  MAX_SDP_MEDIA,
  PackedSdp,
  parseSdp,
  readOrigin,
  type Sdp,
} from '../../../src/wire/sdp.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { anySdpText, lines } from './sdp-samples.ts';

const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];

function parse(...rest: string[]): Sdp {
  return parseSdp(lines(...HEAD, ...rest));
}

/** The only media section of an SDP with these lines. */
function section(...rest: string[]): Sdp['media'][number] {
  const media = parse(...rest).media[0];
  if (media === undefined) throw new Error('no media section');
  return media;
}

/** The text as it is written again, or what was thrown. */
function rewritten(text: string): unknown {
  try {
    return formatSdp(parseSdp(text));
  } catch (error) {
    return error;
  }
}

describe('packed', () => {
  test('the same description comes out again, whatever the lines', () => {
    fc.assert(
      fc.property(anySdpText, (text) => {
        const sdp = parseSdp(text);
        expect(new PackedSdp(sdp).read()).toEqual(sdp);
      }),
    );
  });

  test('one that edits have made longer than a peer may send is read as well', () => {
    const attributes = Array.from({ length: MAX_SDP_LINES }, (_, index) => `a=x:${index}`);
    const sdp = buildSdp(HEAD, [['m=audio 4000 RTP/AVP 0', ...attributes]]);
    expect(() => parseSdp(formatSdp(sdp))).toThrow(WireError);
    expect(new PackedSdp(sdp).read()).toEqual(sdp);
  });
});

describe('lines', () => {
  test('unknown lines pass untouched and in place', () => {
    const text = lines(
      ...HEAD,
      'b=AS:64',
      'x=what',
      'm=audio 4000 RTP/AVP 0',
      'a=zzz: 1  2 ',
      'k=clear:x',
    );
    expect(formatSdp(parseSdp(text))).toBe(text);
  });

  test('LF alone is taken, CRLF is written, empty lines are dropped', () => {
    expect(formatSdp(parseSdp('v=0\ns=-\n\nt=0 0\n\n'))).toBe('v=0\r\ns=-\r\nt=0 0\r\n');
  });

  test('what was read is written again, whatever the lines', () => {
    fc.assert(
      fc.property(anySdpText, (text) => {
        expect(formatSdp(parseSdp(text))).toBe(text);
      }),
    );
  });

  test('any text is an SDP or a WireError', () => {
    const char = fc.constantFrom('v', 'm', 'a', '=', '0', ' ', '\r', '\n', '\0', '/', ':', 'é');
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: char }).map((rest) => `v=0\n${rest}`),
    );
    fc.assert(
      fc.property(text, (each) => {
        const once = rewritten(each);
        expect(typeof once === 'string' ? rewritten(once) : once).toEqual(once);
        expect(typeof once === 'string' || once instanceof WireError).toBe(true);
      }),
    );
  });

  // oxfmt-ignore
  test.each([
    ['nothing', ''],
    ['no v= line', 's=-\r\n'],
    ['another version', 'v=1\r\n'],
    ['a line without =', lines(...HEAD, 'hello')],
    ['a line that begins with a blank', lines(...HEAD, ' a=x')],
    ['a bare CR', lines(...HEAD, 'a=x\ro=evil')],
    ['a NUL', lines(...HEAD, 'a=x\0')],
    ['m= without port', lines(...HEAD, 'm=audio')],
    ['m= without protocol', lines(...HEAD, 'm=audio 4000')],
    ['m= with words for a port', lines(...HEAD, 'm=audio x RTP/AVP 0')],
    ['a negative port', lines(...HEAD, 'm=audio -1 RTP/AVP 0')],
    ['a port beyond 65535', lines(...HEAD, 'm=audio 65536 RTP/AVP 0')],
    ['a port of twenty digits', lines(...HEAD, 'm=audio 18446744073709551616 RTP/AVP 0')],
    ['m= without formats', lines(...HEAD, 'm=audio 4000 RTP/AVP')],
    ['an empty m=', lines(...HEAD, 'm=')],
    ['too long a text', lines(...HEAD, `a=${'x'.repeat(MAX_SDP_LENGTH)}`)],
    ['too many lines', lines(...HEAD, ...Array.from({ length: MAX_SDP_LINES }, () => 'a=x'))],
    ['too many formats', lines(...HEAD, `m=audio 4 RTP/AVP${' 0'.repeat(257)}`)],
    ['too many sections', lines(...HEAD, ...Array.from({ length: MAX_SDP_MEDIA + 1 }, () => 'm=audio 4 RTP/AVP 0'))],
  ])('%s is refused', (_, text) => {
    expect(() => parseSdp(text)).toThrow(WireError);
  });

  test('the message shows the beginning of what came', () => {
    expect(() => parse(`m=${'x'.repeat(200)}`)).toThrow(/^expected m=.* got "m=x{58}…"$/);
  });
});

test('a section without its m= line is refused', () => {
  expect(() => buildSdp(['v=0'], [[]])).toThrow(WireError);
});

test('of two rtpmap lines for a number the first one counts, an fmtp without text does not', () => {
  const media = section(
    'm=audio 4 RTP/AVP 101',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtpmap:101 iLBC/8000',
    'a=fmtp:101',
  );
  expect(media.telephoneEvents).toEqual([{ payloadType: 101, clockRate: 8000, events: undefined }]);
});

test('the limits themselves are allowed', () => {
  const formats = Array.from({ length: 256 }, (_, at) => at).join(' ');
  expect(section(`m=audio 65535 RTP/AVP ${formats}`).formats).toHaveLength(256);
  const filled = parse(...Array.from({ length: MAX_SDP_LINES - HEAD.length }, () => 'a=x'));
  expect(filled.session).toHaveLength(MAX_SDP_LINES);
  const sections = Array.from({ length: MAX_SDP_MEDIA }, () => 'm=audio 4 RTP/AVP 0');
  expect(parse(...sections).media).toHaveLength(MAX_SDP_MEDIA);
  const head = lines(...HEAD);
  const longest = `${head}a=${'x'.repeat(MAX_SDP_LENGTH - head.length - 4)}\r\n`;
  expect(formatSdp(parseSdp(longest))).toHaveLength(MAX_SDP_LENGTH);
});

describe('the o= line', () => {
  test('is read', () => {
    const origin = { username: '-', sessionId: '1', version: '1', address: '192.0.2.1' };
    expect(readOrigin(parse())).toEqual(origin);
  });

  test.each([['v=0\r\n'], ['v=0\r\no=\r\n'], ['v=0\r\no=- 1 1 IN IP4\r\n'], ['v=0\r\no=-\r\n']])(
    'is missing or incomplete in %j',
    (text) => {
      expect(readOrigin(parseSdp(text))).toBeUndefined();
    },
  );
});

describe('a media section', () => {
  test('with everything', () => {
    const media = section(
      'm=audio 4000/2 RTP/AVP 0 101 98 96',
      'c=IN IP4 192.0.2.9/127',
      'c=IN IP4 192.0.2.10',
      'a=rtpmap:101 Telephone-Event/8000',
      'a=fmtp:101 0-15,66',
      'a=fmtp:101 0-9',
      'a=rtpmap:98 opus/48000/2',
      'a=rtpmap:97 iLBC/8000',
      'a=ptime:30',
      'a=sendonly',
      'a=inactive',
      'a=rtcp:5003 IN IP4 192.0.2.11',
    );
    expect(media).toMatchObject({
      index: 0,
      kind: 'audio',
      port: 4000,
      protocol: 'RTP/AVP',
      formats: ['0', '101', '98', '96'],
      connectionAddress: '192.0.2.9',
      direction: 'sendonly',
      codecs: [
        { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1 },
        { payloadType: 101, name: 'Telephone-Event', clockRate: 8000, channels: 1 },
        { payloadType: 98, name: 'opus', clockRate: 48_000, channels: 2 },
      ],
      telephoneEvents: [{ payloadType: 101, clockRate: 8000, events: '0-15,66' }],
      packetTimeMs: 30,
      rtcp: { port: 5003, address: '192.0.2.11' },
    });
  });

  test('with as little as possible', () => {
    const media = parseSdp('v=0\r\nm=audio 0 RTP/AVP\r\n').media[0];
    expect(media).toMatchObject({
      port: 0,
      formats: [],
      connectionAddress: undefined,
      direction: 'sendrecv',
      codecs: [],
      telephoneEvents: [],
      packetTimeMs: undefined,
      rtcp: undefined,
    });
  });

  test('inherits address and direction of the session', () => {
    const sdp = parseSdp(lines('v=0', 'c=IN IP6 2001:db8::1', 'a=inactive', 'm=audio 4 RTP/AVP 0'));
    expect(sdp.media[0]).toMatchObject({ connectionAddress: '2001:db8::1', direction: 'inactive' });
  });

  test.each(['sendrecv', 'sendonly', 'recvonly', 'inactive'])('is %s', (direction) => {
    expect(section('m=audio 4 RTP/AVP 0', `a=${direction}`).direction).toBe(direction);
  });

  // oxfmt-ignore
  test.each([
    ['the rtpmap without the number on the m-line', ['m=audio 4 RTP/AVP 0', 'a=rtpmap:101 telephone-event/8000']],
    ['the number without rtpmap', ['m=audio 4 RTP/AVP 0 101', 'a=fmtp:101 0-15']],
    ['an rtpmap that cannot be read', ['m=audio 4 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event']],
    ['a clock rate of 0', ['m=audio 4 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/0']],
    ['a number beyond 127', ['m=audio 4 RTP/AVP 0 128', 'a=rtpmap:128 telephone-event/8000']],
  ])('has no telephone-event with %s', (_, rest) => {
    expect(section(...rest).telephoneEvents).toEqual([]);
  });

  test.each(Array.from({ length: 32 }, (_, offset) => 96 + offset))(
    'has telephone-event on payload type %i',
    (payloadType) => {
      const media = section(
        `m=audio 4 RTP/AVP 0 ${payloadType}`,
        `a=rtpmap:${payloadType} TELEPHONE-EVENT/8000`,
      );
      expect(media.telephoneEvents).toEqual([{ payloadType, clockRate: 8000, events: undefined }]);
    },
  );

  test('knows static payload types, an rtpmap overrides, G.722 counts 8000', () => {
    const media = section(
      'm=audio 4 RTP/AVP 3 8 9 18 13',
      'a=rtpmap:9 G722/16000',
      'a=rtpmap:18 X/16000',
    );
    expect(media.codecs.map(({ name, clockRate }) => `${name}/${clockRate}`)).toEqual([
      'GSM/8000',
      'PCMA/8000',
      'G722/8000',
      'X/16000',
      'CN/8000',
    ]);
  });

  // oxfmt-ignore
  test.each([
    ['a=ptime:20', 20], ['a=ptime:12.5', 12.5], ['a=ptime: 40 ', 40], ['a=ptime:0', undefined],
    ['a=ptime:5000', undefined], ['a=ptime:x', undefined], ['a=ptime:-20', undefined],
  ])('%s is %s ms', (line, packetTimeMs) => {
    expect(section('m=audio 4 RTP/AVP 0', line).packetTimeMs).toBe(packetTimeMs);
  });

  // oxfmt-ignore
  test.each([
    ['a=rtcp:5', { port: 5, address: undefined }], ['a=rtcp:99999', undefined], ['a=rtcp:', undefined],
    ['a=rtcp:5 IN', { port: 5, address: undefined }],
  ])('%s is read as %j', (line, rtcp) => {
    expect(section('m=audio 4 RTP/AVP 0', line).rtcp).toEqual(rtcp);
  });
});

describe('event codes', () => {
  const dtmf = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  // oxfmt-ignore
  test.each([
    ['0-15', dtmf], ['0-16', [...dtmf, 16]], ['0-15,66,70', [...dtmf, 66, 70]], ['11,0-9', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]],
    [undefined, dtmf], ['', dtmf], ['all', dtmf], ['9-0', dtmf], ['254-999', [254, 255]], ['1, 2', [1, 2]],
  ])('of %s', (text, codes) => {
    expect(parseEventCodes(text)).toEqual(codes);
  });
});

describe('SDP of the RFC 4475 and RFC 5118 messages', () => {
  // oxfmt-ignore
  const IPV6 = ['v=0', 'o=assistant 971731711378798081 0 IN IP6 2001:db8::20', 's=Live video feed', 'c=IN IP6 2001:db8::20', 't=3338481189 3370017201', 'm=audio 6000 RTP/AVP 2', 'a=rtpmap:2 G726-32/8000', 'm=video 6024 RTP/AVP 107', 'a=rtpmap:107 H263-1998/90000'];

  test('IPv6 (RFC 5118 §4.6)', () => {
    const sdp = parseSdp(lines(...IPV6));
    expect(sdp.media.map((media) => media.connectionAddress)).toEqual([
      '2001:db8::20',
      '2001:db8::20',
    ]);
    expect(formatSdp(sdp)).toBe(lines(...IPV6));
  });
});
