import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Diversion, formatDiversion, parseDiversions } from '../../../src/wire/diversion.ts';
import { diversionsOf, forwardCountOf, historyOf } from '../../../src/wire/forward-conversion.ts';
import { formatHistoryEntry, parseHistory } from '../../../src/wire/history-info.ts';

const OFF = { counter: 1, isPrivate: false, others: new Map<string, string>() };

describe('Diversion', () => {
  test.each<[string, readonly Diversion[]]>([
    ['', []],
    ['no address at all', []],
    ['<sip:a@x.example', []],
    ['"A <sip:a@x.example>', []],
    ['<sip:a@x.example>', [{ uri: 'sip:a@x.example', reason: 'unknown', ...OFF }]],
    [
      '"A, B" <sip:a@x>;reason="user-busy";counter=2;privacy=full, <tel:+4930>;reason=No-Answer',
      [
        {
          displayName: 'A, B',
          uri: 'sip:a@x',
          reason: 'user-busy',
          ...OFF,
          counter: 2,
          isPrivate: true,
        },
        { uri: 'tel:+4930', reason: 'no-answer', ...OFF },
      ],
    ],
    [
      '<sip:a@x>;counter=0;screen=yes,nonsense,<sip:b@x>;counter=99999999999',
      [
        { uri: 'sip:a@x', reason: 'unknown', ...OFF, others: new Map([['screen', 'yes']]) },
        { uri: 'sip:b@x', reason: 'unknown', ...OFF, counter: 99 },
      ],
    ],
  ])('%s', (value, expected) => {
    expect(parseDiversions([value])).toEqual(expected);
  });

  test.each([
    ['', 1],
    [';counter="7"', 7],
    [';counter=12', 12],
    [';counter=-1', 99],
    [';counter=many', 99],
    [`;counter=${'9'.repeat(400)}`, 99],
  ])('%s stands for %i forwards', (parameter, counter) => {
    expect(parseDiversions([`<sip:a@x>${parameter}`])).toMatchObject([{ counter }]);
  });

  test('says what it was read from', () => {
    const text = '"A, B" <sip:a@x>;reason=user-busy;counter=2;privacy=full;screen=yes';
    expect(parseDiversions([text]).map(formatDiversion)).toEqual([text]);
  });
});

describe('History-Info', () => {
  test.each([
    '<sip:2001@pbx.example>;index=1',
    '<sip:2424@pbx.example;cause=302>;index=1.1;mp=1',
    '<sip:2001@pbx.example?Reason=SIP%3Bcause%3D486>;index=1.2;rc=1.1',
    '<tel:+4930123;cause=302>;index=1.1;np=1',
    '"Bob" <sip:2001@pbx.example?Reason=SIP%3Bcause%3D408&Privacy=history>;index=1',
  ])('%s is read and written the same', (text) => {
    expect(parseHistory([text]).map(formatHistoryEntry)).toEqual([text]);
  });

  test.each([
    '<sip:a@x>',
    '<sip:a@x>;index=one',
    'index=1',
    '<sip:a@x>;index=1.',
    '<sip:a@x;index=1',
    '"A <sip:a@x>;index=1',
  ])('%s is no entry', (text) => {
    expect(parseHistory([text])).toEqual([]);
  });
});

describe('History-Info tells of', () => {
  test.each([
    ['no forward where nobody was asked before', '<sip:a@x>;index=1', 0],
    ['a forward by its cause', '<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.1', 1],
    ['a forward by its mapping', '<sip:a@x>;index=1, <sip:b@x>;index=1.1;mp=1', 1],
    [
      'a forward by the answer',
      '<sip:a@x?Reason=SIP%3Bcause%3D486>;index=1, <sip:b@x>;index=1.1',
      1,
    ],
    [
      'no forward by another answer',
      '<sip:a@x?Reason=SIP%3Bcause%3D500>;index=1, <sip:b@x>;index=1.1',
      0,
    ],
    [
      'no forward by another way',
      '<sip:a@x?Reason=SIP%3Bcause%3D486>;index=1, <sip:b@x>;index=1.1;rc=1',
      0,
    ],
    ['a redirection by itself', '<sip:a@x?Reason=SIP%3Bcause%3D302>;index=1', 1],
    [
      'a redirection once',
      '<sip:a@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:b@x;cause=302>;index=1.1;mp=1',
      1,
    ],
    [
      'a redirection to any branch',
      '<sip:a@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:b@x>;index=1.1;rc=1',
      1,
    ],
    [
      'no forward by a new branch',
      '<sip:a@x>;index=1, <sip:b@x>;index=1.1, <sip:c@x>;index=1.2',
      0,
    ],
  ])('%s', (_, history, count) => {
    const entries = parseHistory([history]);
    expect(forwardCountOf(entries)).toBe(count);
    expect(diversionsOf(entries)).toHaveLength(count);
  });
});

describe('one form from the other (RFC 7544)', () => {
  const newestFirst =
    '<sip:b@x>;reason=no-answer;counter=1;privacy=off, ' +
    '<sip:a@x>;reason=user-busy;counter=1;privacy=full';
  const oldestFirst =
    '<sip:a@x?Privacy=history>;index=1, <sip:b@x;cause=486>;index=1.1;mp=1, ' +
    '<sip:c@x;cause=408>;index=1.1.1;mp=1.1';

  test('both ways', () => {
    const history = historyOf(parseDiversions([newestFirst]), 'sip:c@x');
    expect(history.map(formatHistoryEntry).join(', ')).toBe(oldestFirst);
    const diversions = diversionsOf(parseHistory([oldestFirst]));
    expect(diversions.map(formatDiversion).join(', ')).toBe(newestFirst);
  });

  test('a counter stands for parties that nobody names', () => {
    const [diversion] = parseDiversions(['<sip:a@x>;reason=deflection;counter=2']);
    const entries = historyOf(diversion === undefined ? [] : [diversion], 'sip:c@x');
    expect(entries.map(({ uri, cause }) => [uri, cause])).toEqual([
      ['sip:unknown@unknown.invalid', undefined],
      ['sip:a@x', 404],
      ['sip:c@x', 480],
    ]);
  });

  test.each([
    ['unconditional', 302],
    ['user-busy', 486],
    ['time-of-day', 404],
    ['constructor', 404],
    ['__proto__', 404],
  ])('the reason %s is the cause %d', (reason, cause) => {
    const diversions = parseDiversions([`<sip:a@x>;reason=${reason}`]);
    expect(historyOf(diversions, 'sip:c@x').map(formatHistoryEntry)).toEqual([
      '<sip:a@x>;index=1',
      `<sip:c@x;cause=${cause}>;index=1.1;mp=1`,
    ]);
  });

  test.each([
    [
      'names the party before where none is given',
      '<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.1',
      ['<sip:a@x>;reason=unconditional;counter=1;privacy=off'],
    ],
    [
      'names the party before where a missing one is given',
      '<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.2;mp=1.1',
      ['<sip:a@x>;reason=unconditional;counter=1;privacy=off'],
    ],
    [
      'keeps the name of the party',
      '"Ann" <sip:a@x>;index=1, <sip:b@x;cause=486>;index=1.1;mp=1',
      ['"Ann" <sip:a@x>;reason=user-busy;counter=1;privacy=off'],
    ],
    [
      'does not know every cause',
      '<sip:a@x>;index=1, <sip:b@x;cause=404>;index=1.1;mp=1',
      ['<sip:a@x>;reason=unknown;counter=1;privacy=off'],
    ],
    ['passes over a first target with a cause', '<sip:b@x;cause=302>;index=1', []],
    ['passes over a target found from itself', '<sip:b@x;cause=302>;index=1;mp=1', []],
  ])('a Diversion %s', (_name, history, expected) => {
    expect(diversionsOf(parseHistory([history])).map(formatDiversion)).toEqual(expected);
  });

  test('nothing comes of nothing', () => {
    expect(historyOf([], 'sip:c@x')).toEqual([]);
    expect(diversionsOf(parseHistory(['<sip:a@x>;index=1']))).toEqual([]);
  });
});

test('any text is read without an error, and what was read can be written and read again', () => {
  const pieces = ['<', '>', 'sip:a@x', ';', 'index=1', 'cause=486', '?', '"', ',', '='];
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (value) => {
      const diversions = parseDiversions([value]);
      const history = parseHistory([value]);
      historyOf(diversions, 'sip:c@x');
      diversionsOf(history);
      expect(parseDiversions(diversions.map(formatDiversion))).toHaveLength(diversions.length);
      expect(parseHistory(history.map(formatHistoryEntry))).toHaveLength(history.length);
    }),
  );
});
