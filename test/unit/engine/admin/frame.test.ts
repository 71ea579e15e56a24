import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFrame, FrameReader } from '../../../../src/engine/admin/frame.ts';

const MAX_BYTES = 1000;

function readAll(chunks: readonly Buffer[]): { payloads: string[]; broken: string | undefined } {
  const reader = new FrameReader(MAX_BYTES);
  const payloads: string[] = [];
  let broken: string | undefined;
  for (const chunk of chunks) {
    const result = reader.push(chunk);
    payloads.push(...result.payloads.map((payload) => payload.toString()));
    broken = result.broken;
  }
  return { payloads, broken };
}

describe('FrameReader', () => {
  test.each([
    ['one frame', '4#ping', ['ping']],
    ['two frames', '1#a2#bc', ['a', 'bc']],
    ['an incomplete length', '12', []],
    ['an incomplete payload', '5#abc', []],
    ['a hash in the payload', '3#a#b1#c', ['a#b', 'c']],
    ['an empty payload', '0#1#x', ['', 'x']],
    ['leading zeros', '0003#abc', ['abc']],
    ['bytes, not characters', '3#hé1#x', ['hé', 'x']],
  ])('reads %s', (_name, stream, expected) => {
    expect(readAll([Buffer.from(stream)])).toEqual({ payloads: expected, broken: undefined });
  });

  test.each([
    ['no length', '#abc'],
    ['a length that is no number', 'x4#ping'],
    ['a negative length', '-1#x'],
    ['a length over the bound', '1001#x'],
    ['too many digits', '00000001#x'],
    ['endless digits without a hash', '12345678'],
  ])('gives up on %s', (_name, stream) => {
    expect(readAll([Buffer.from(stream)])).toEqual({ payloads: [], broken: 'bad frame length' });
  });

  test('delivers what came before the stream broke, and nothing after it', () => {
    const reader = new FrameReader(MAX_BYTES);
    const broken = reader.push(Buffer.from('1#a!'));
    expect(broken.payloads.map(String)).toEqual(['a']);
    expect(broken.broken).toBe('bad frame length');
    expect(reader.push(Buffer.from('1#b'))).toEqual({ payloads: [], broken: 'bad frame length' });
  });

  test('reads the same frames wherever the stream is cut', () => {
    const message = Buffer.from('INFO sip:bob@lab SIP/2.0\r\nSubject: é\r\n\r\n1#x');
    const stream = Buffer.concat([formatFrame('id|sip||', message), formatFrame('id|ping')]);
    const whole = readAll([stream]);
    expect(whole.payloads).toHaveLength(2);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(readAll([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
    }
    const single = Array.from(stream, (byte) => Buffer.from([byte]));
    expect(readAll(single)).toEqual(whole);
  });

  test('what is written reads back, in any chunks', () => {
    const payloads = fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 5 });
    const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 6 });
    fc.assert(
      fc.property(payloads, cuts, (texts, points) => {
        const stream = Buffer.concat(texts.map((text) => formatFrame(text)));
        const edges = [0, ...points, stream.length].toSorted((one, other) => one - other);
        const chunks = edges.map((edge, index) => stream.subarray(edges[index - 1] ?? 0, edge));
        expect(readAll(chunks).payloads).toEqual(texts.map((text) => Buffer.from(text).toString()));
      }),
    );
  });

  test('any bytes never throw', () => {
    const read = fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
      readAll(chunks.map((chunk) => Buffer.from(chunk)));
    });
    expect(() => fc.assert(read)).not.toThrow();
  });
});
