import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamFramer } from '../../../../src/engine/transport/stream-framing.ts';
import type { FramerOutput } from '../../../../src/engine/transport/stream-framing.ts';
import { requestText } from '../transaction/sample-messages.ts';

const LIMITS = { headBytes: 1000, bodyBytes: 2000, headerCount: 100 };

/** Outputs as short words: the Call-ID of a message, `ping`, or `broken` with status and reason. */
function words(outputs: readonly FramerOutput[]): string[] {
  return outputs.map((output) => {
    if (output.type === 'message')
      return /Call-ID: (\S*)/.exec(output.bytes.toString())?.[1] ?? '?';
    return output.type === 'ping' ? 'ping' : `broken ${output.status} ${output.reason}`;
  });
}

function push(text: string, framer = new StreamFramer(LIMITS)): string[] {
  return words(framer.push(Buffer.from(text)));
}

function message(callId: string, body = ''): string {
  return requestText({ method: 'INFO', callId, body });
}

const HEAD = 'INFO sip:x SIP/2.0\r\n';

describe('messages', () => {
  test('several in one read, and one in several reads', () => {
    const framer = new StreamFramer(LIMITS);
    const last = message('three', 'some body');
    expect(push(message('one') + message('two', 'body') + last.slice(0, 50), framer)).toEqual([
      'one',
      'two',
    ]);
    expect(framer.isPartial).toBe(true);
    expect(push(last.slice(50), framer)).toEqual(['three']);
    expect(framer.isPartial).toBe(false);
  });

  test('the bytes of a message are its own', () => {
    const framer = new StreamFramer(LIMITS);
    const text = message('one', 'body');
    const [first] = framer.push(Buffer.from(text));
    framer.push(Buffer.alloc(2000, 'x'));
    expect(first).toEqual({ type: 'message', bytes: Buffer.from(text) });
  });

  test.each([
    ['compact and folded', `l:\r\n 4`],
    ['odd case', 'cOnTeNt-LeNgTh :4'],
  ])('the length may be written in any way: %s', (_what, line) => {
    expect(push(`${HEAD}Call-ID: x\r\n${line}\r\n\r\nbody${message('next')}`)).toEqual([
      'x',
      'next',
    ]);
  });

  test('line ends may be LF', () => {
    expect(
      push(`${HEAD}Call-ID: x\r\nl: 0\r\n\r\n`.replaceAll('\r\n', '\n') + message('next')),
    ).toEqual(['x', 'next']);
  });
});

describe('between messages', () => {
  test.each([
    ['a single CRLF', '\r\n', []],
    ['a double CRLF', '\r\n\r\n', ['ping']],
    ['a double LF', '\n\n', ['ping']],
    ['three CRLF', '\r\n\r\n\r\n', ['ping']],
    ['a flood of them is answered once per read', '\r\n'.repeat(1000), ['ping']],
  ])('%s', (_what, text, expected) => {
    expect(push(text + message('next'))).toEqual([...expected, 'next']);
  });

  test('a ping in pieces', () => {
    const framer = new StreamFramer(LIMITS);
    const outputs = ['\r', '\n', '\r', '\n', message('next')].map((text) => push(text, framer));
    expect(outputs).toEqual([[], [], [], ['ping'], ['next']]);
    expect(framer.isPartial).toBe(false);
  });
});

describe('what breaks the stream', () => {
  test.each([
    ['no length', `${HEAD}Call-ID: x\r\n\r\n`, 'broken 400 content-length is missing'],
    ['a negative length', `${HEAD}l: -1\r\n\r\n`, 'broken 400 content-length is no number'],
    [
      'two lengths',
      `${HEAD}l: 1\r\nContent-Length: 2\r\n\r\n`,
      'broken 400 content-length is repeated',
    ],
    ['a huge length', `${HEAD}l: 2001\r\n\r\n`, 'broken 413 body too large'],
    ['a huge head', `${HEAD}X: ${'x'.repeat(1000)}`, 'broken 513 header fields too large'],
    [
      'a huge head with its end',
      `${HEAD}X: ${'x'.repeat(1000)}\r\n\r\n`,
      'broken 513 header fields too large',
    ],
    ['a CR alone', '\rINFO', 'broken 400 CR without LF'],
  ])('%s; nothing is read after it', (_what, text, expected) => {
    const framer = new StreamFramer(LIMITS);
    expect(push(text, framer)).toEqual([expected]);
    expect(push(message('next'), framer)).toEqual([]);
    expect(framer.isPartial).toBe(false);
  });

  test('the head is handed over for the answer', () => {
    const [output] = new StreamFramer(LIMITS).push(Buffer.from(`${HEAD}\r\nrest`));
    expect(output).toMatchObject({ head: Buffer.from(`${HEAD}\r\n`) });
  });
});

describe('properties', () => {
  const bodies = fc.array(fc.string({ maxLength: 50 }), { maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });

  test('it does not matter where the network cuts', () => {
    fc.assert(
      fc.property(bodies, sizes, (texts, cuts) => {
        const bytes = Buffer.from(
          texts.map((body, index) => message(`m${index}`, body)).join('\r\n'),
        );
        const framer = new StreamFramer(LIMITS);
        const outputs: FramerOutput[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          outputs.push(...framer.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(words(outputs)).toEqual(texts.map((_body, index) => `m${index}`));
      }),
    );
  });

  test('any bytes throw nothing', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom('\r\n', HEAD, 'l: 3\r\n', '\n\n', 'l: x\r\n')
          .map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(pieces, (chunks) => {
        const framer = new StreamFramer(LIMITS);
        const outputs = chunks.flatMap((chunk) => framer.push(chunk));
        expect(outputs.filter(({ type }) => type === 'broken').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
