import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNgDictionary } from '../../../../src/media/rtpengine/ng-bencode.ts';
import { type Bencodable, bencode } from '../../../support/bencode.ts';

describe('what is a dictionary', () => {
  test.each([
    ['an empty one', 'de'],
    ['an answer to a ping', 'd6:result4:ponge'],
    ['a number below zero', 'd1:ai-7ee'],
    ['lists and dictionaries inside', 'd1:al1:bd1:ci0eelee1:d0:e'],
    ['text that looks like structure', 'd1:a4:deeee'],
  ])('%s', (_what, text) => {
    expect(isNgDictionary(Buffer.from(text))).toBe(true);
  });
});

describe('what is none', () => {
  test.each([
    ['nothing', ''],
    ['text', '4:pong'],
    ['a list', 'l4:ponge'],
    ['a number', 'i7e'],
    ['something behind it', 'dee'],
    ['no end', 'd6:result4:pong'],
    ['a key without value', 'd6:resulte'],
    ['a number as key', 'di7e4:ponge'],
    ['a dictionary as key', 'dde4:ponge'],
    ['text longer than the datagram', 'd6:result5:ponge'],
    ['a length below zero, which sends a decoder back for ever', 'd1:al-3:ee'],
    ['a length that is no number', 'd1:ax:ee'],
    ['a length of many digits', 'd1:a0000001:be'],
    ['a number without digits', 'd1:aiee'],
    ['a number that is a fraction', 'd1:ai1.5ee'],
    ['a number without end', 'd1:ai7'],
    ['lists in lists without end', `d1:a${'l'.repeat(60_000)}`],
    ['more depth than any answer has', `d1:a${'l'.repeat(40)}${'e'.repeat(40)}e`],
  ])('%s', (_what, text) => {
    expect(isNgDictionary(Buffer.from(text))).toBe(false);
  });
});

const { value: anyValue } = fc.letrec<{ value: Bencodable }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 8 },
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}));
const anyDictionary = fc.dictionary(fc.string(), anyValue, { maxKeys: 5 });

test('each dictionary that is written is one', () => {
  fc.assert(
    fc.property(anyDictionary, (dictionary) => {
      expect(isNgDictionary(Buffer.from(`cookie ${bencode(dictionary)}`), 7)).toBe(true);
    }),
  );
});

test('no part of one is one', () => {
  fc.assert(
    fc.property(anyDictionary, fc.nat(), (dictionary, cut) => {
      const whole = Buffer.from(bencode(dictionary));
      expect(isNgDictionary(whole.subarray(0, cut % whole.length))).toBe(false);
    }),
  );
});

test('any bytes get an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof isNgDictionary(Buffer.concat([Buffer.from('d'), bytes]))).toBe('boolean');
    }),
  );
});
