/** Session descriptions for tests, and a generator of odd but legal ones. */
import fc from 'fast-check';

/** Lines with CRLF behind each. */
export function lines(...each: string[]): string {
  return each.map((line) => `${line}\r\n`).join('');
}

const text = fc.string({
  unit: fc.constantFrom('a', 'Z', '0', '1', ' ', ':', '/', '-', '.', '=', 'ü'),
});
const number = fc.integer({ min: 0, max: 130 });
const port = fc.integer({ min: 0, max: 65_535 });

const attribute = fc.oneof(
  text.map((value) => `a=${value}`),
  fc
    .tuple(number, fc.constantFrom('telephone-event/8000', 'opus/48000/2', 'CN/8000', 'x'))
    .map(([format, codec]) => `a=rtpmap:${format} ${codec}`),
  number.map((format) => `a=fmtp:${format} 0-15`),
  number.map((format) => `a=rtcp-fb:${format} nack`),
  port.map((each) => `a=rtcp:${each} IN IP4 198.51.100.7`),
  fc.constantFrom(
    'a=sendonly',
    'a=inactive',
    'a=ptime:30',
    'a=candidate:1 1 UDP 1 198.51.100.7 9 typ host',
  ),
);

const other = fc.oneof(
  fc
    .tuple(fc.constantFrom('b', 'k', 'i', 'x', 'A'), text)
    .map(([type, value]) => `${type}=${value}`),
  fc.constantFrom(
    'c=IN IP4 198.51.100.7',
    'c=IN IP4 0.0.0.0',
    'c=IN IP6 2001:db8::7',
    'c=nonsense',
  ),
);

const media = fc
  .tuple(
    fc.constantFrom('audio', 'video', 'image'),
    port,
    fc.constantFrom('RTP/AVP', 'RTP/SAVP', 'udptl', 'TCP/MSRP'),
    fc.array(number, { minLength: 1, maxLength: 6 }),
  )
  .map(([kind, at, protocol, formats]) => `m=${kind} ${at} ${protocol} ${formats.join(' ')}`);

const section = fc
  .tuple(media, fc.array(fc.oneof(attribute, other), { maxLength: 8 }))
  .map(([first, rest]) => [first, ...rest]);

/** The text of an SDP: v=, o= with an address of the sender, free lines, up to three sections. */
export const anySdpText = fc
  .tuple(
    fc.array(fc.oneof(attribute, other), { maxLength: 4 }),
    fc.array(section, { maxLength: 3 }),
  )
  .map(([session, sections]) =>
    lines(
      'v=0',
      'o=alice 7 7 IN IP4 198.51.100.7',
      's=call',
      ...session,
      't=0 0',
      ...sections.flat(),
    ),
  );
