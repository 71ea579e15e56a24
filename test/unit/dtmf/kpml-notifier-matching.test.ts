import { describe, expect, test } from 'vitest';
import { documentOf, NotifierBench } from './kpml-notifier-bench.ts';

function subscribed(attributes: string, ...regexes: string[]): NotifierBench {
  const bench = new NotifierBench();
  bench.subscribe(documentOf(attributes, ...regexes));
  bench.wait(100);
  bench.story();
  return bench;
}

const persist = (attributes: string, ...regexes: string[]): NotifierBench =>
  subscribed(`persist="persist" ${attributes}`, ...regexes);

const tagged = (tag: string, text: string): string => `<regex tag="${tag}">${text}</regex>`;

describe('which keys are reported', () => {
  test('a key that fits nothing clears what was typed', () => {
    const bench = persist('', 'x{3}');
    expect(bench.pressed('12#345')).toEqual(['active 200 "345"']);
    expect(bench.drops.map(({ pressId }) => pressId)).toEqual(['1:1', '2:2', '3:#']);
    expect(bench.drops[0]?.reason).toBe('no-match');
  });

  test('several keys are one report', () => {
    const bench = persist('', 'x{4}');
    bench.press('4336', 100);
    expect(bench.notifies).toMatchObject([
      { state: 'active', digits: '4336', pressIds: ['1:4', '2:3', '3:3', '4:6'] },
    ]);
  });

  test('persist reports every match, no NOTIFY is merged', () => {
    expect(persist('', 'x{2}').pressed('123456')).toEqual([
      'active 200 "12"',
      'active 200 "34"',
      'active 200 "56"',
    ]);
  });

  test('among equals the first in the document gives its tag', () => {
    const bench = persist('', tagged('first', 'x{4}'), tagged('second', '[0-9]{4}'));
    bench.press('1234', 10);
    expect(bench.notifies[0]?.tag).toBe('first');
  });

  test('the tag is left out when the expression has none', () => {
    const bench = persist('', 'x');
    bench.press('1');
    expect(bench.notifies[0]?.body).not.toContain('tag=');
  });

  test('pre and the rest are one pattern, nothing is suppressed', () => {
    const bench = persist('', '<regex><pre>*</pre>x{2}</regex>');
    bench.press('*12', 10);
    expect(bench.notifies[0]).toMatchObject({ code: 200, digits: '*12' });
    expect(bench.notifies[0]?.body).toContain('suppressed="false"');
  });

  test('a rolling window finds a match behind wrong keys', () => {
    const bench = persist('nopartial="true"', '123');
    expect(bench.pressed('12123')).toEqual(['active 200 "123"']);
    expect(bench.drops.map(({ pressId }) => pressId)).toEqual(['1:1', '2:2']);
    expect(bench.pressed('99123')).toEqual(['active 200 "123"']);
  });

  test('a rolling window waits for a longer match like any other', () => {
    const bench = persist('nopartial="true"', '12', '1234');
    bench.press('9123', 10);
    bench.wait(1000);
    expect(bench.story()).toEqual(['active 200 "12"']);
    bench.press('1234', 10);
    expect(bench.story()).toEqual(['active 200 "1234"']);
  });
});

describe('timers', () => {
  test('a match that another expression may outgrow waits for the critical timer', () => {
    const bench = persist('', '0', '011');
    bench.press('0');
    bench.wait(999);
    expect(bench.story()).toEqual([]);
    bench.wait(1);
    expect(bench.story()).toEqual(['active 200 "0"']);
  });

  test('the longer match wins when it comes in time', () => {
    expect(persist('', '0', '011').pressed('011')).toEqual(['active 200 "011"']);
  });

  test('after the critical timer the longest prefix counts, the rest is looked at anew', () => {
    const bench = persist('criticaldigittimer="300"', '0', '011', '1');
    bench.press('01', 100);
    bench.wait(200);
    expect(bench.story()).toEqual(['active 200 "0"']);
    bench.wait(100);
    expect(bench.story()).toEqual(['active 200 "1"']);
  });

  test('a key that spoils the longer match ends the wait', () => {
    const bench = persist('', '0', '011', '5');
    bench.press('05');
    bench.wait(100);
    expect(bench.story()).toEqual(['active 200 "0"', 'active 200 "5"']);
  });

  test('the same expression may grow until the extra timer', () => {
    const bench = persist('', 'x.');
    bench.press('12', 400);
    bench.wait(99);
    expect(bench.story()).toEqual([]);
    bench.wait(1);
    expect(bench.story()).toEqual(['active 200 "12"']);
  });

  test('a timer of zero runs out at once', () => {
    const bench = persist('extradigittimer="0"', 'x.');
    bench.press('1');
    bench.wait(0);
    expect(bench.story()).toEqual(['active 200 "1"']);
  });

  test('a partial match that stays so is reported as 423, persist goes on', () => {
    const bench = persist('', 'x{3}');
    bench.press('12', 3999);
    bench.wait(1);
    expect(bench.story()).toEqual(['active 423 "12"']);
    expect(bench.pressed('345')).toEqual(['active 200 "345"']);
  });

  test('each key starts the inter-digit timer anew', () => {
    expect(persist('', 'x{3}').pressed('1')).toEqual([]);
    const bench = persist('interdigittimer="1000"', 'x{3}');
    bench.press('123', 900);
    expect(bench.story()).toEqual(['active 200 "123"']);
  });

  test('silence with nothing typed is no 423', () => {
    const bench = persist('', 'x{3}');
    bench.wait(60_000);
    expect(bench.story()).toEqual([]);
  });
});

describe('the enter key', () => {
  test('ends a match at once and is not reported', () => {
    const bench = persist('enterkey="#"', 'x{7}', 'x{10}');
    bench.press('1234567#', 10);
    expect(bench.notifies).toMatchObject([{ code: 200, digits: '1234567' }]);
    expect(bench.notifies[0]?.pressIds).toHaveLength(8);
  });

  test('without a match is 402 with what was typed', () => {
    expect(persist('enterkey="#"', 'x{7}').pressed('123#')).toEqual(['active 402 "123"']);
    expect(persist('enterkey="#"', 'x{7}').pressed('#')).toEqual(['active 402 ""']);
  });

  test('keys behind a shorter match make it 402', () => {
    expect(persist('enterkey="#"', 'x{2}', 'x{4}').pressed('123#')).toEqual(['active 402 "123"']);
  });

  test('alone it is a match where no key is needed', () => {
    const bench = persist('enterkey="#"', '1', tagged('any', 'x.'));
    bench.press('#');
    expect(bench.notifies).toMatchObject([{ code: 200, digits: '', tag: 'any' }]);
  });

  test('a full match waits for it as long as the extra timer', () => {
    const bench = persist('enterkey="#"', 'x{2}');
    bench.press('12');
    bench.wait(499);
    expect(bench.story()).toEqual([]);
    bench.wait(1);
    expect(bench.story()).toEqual(['active 200 "12"']);
  });

  test('another key behind a full match reports it', () => {
    const bench = persist('enterkey="#"', 'x{2}');
    bench.press('123');
    bench.wait(1000);
    expect(bench.story()).toEqual(['active 200 "12"']);
  });

  test('may be several keys', () => {
    const bench = persist('enterkey="**"', 'x.', '*x');
    expect(bench.pressed('12**')).toEqual(['active 200 "12"']);
  });

  test('its beginning is an ordinary key when it is not finished', () => {
    const bench = persist('enterkey="**"', '*x', 'x*x');
    expect(bench.pressed('1*2')).toEqual([]);
    bench.wait(500);
    expect(bench.story()).toEqual(['active 200 "1*2"']);
  });

  test('its beginning left alone is a partial entry', () => {
    const bench = persist('enterkey="**"', '*x');
    bench.press('*');
    bench.wait(4000);
    expect(bench.story()).toEqual(['active 423 "*"']);
  });

  test('its beginning behind a match is looked at anew', () => {
    const bench = persist('enterkey="**"', 'x{2}', '*3');
    bench.press('12*');
    bench.wait(500);
    bench.press('3');
    bench.wait(500);
    expect(bench.story()).toEqual(['active 200 "12"', 'active 200 "*3"']);
  });

  test('works in a rolling window', () => {
    const bench = persist('enterkey="#" nopartial="true"', 'x{3}');
    expect(bench.pressed('1#')).toEqual(['active 402 "1"']);
    expect(bench.pressed('*123#')).toEqual(['active 200 "123"']);
  });

  test('a one-shot report among its doubts keeps the rest for the next document', () => {
    const bench = subscribed('persist="single-notify" enterkey="**#"', '1', '*');
    bench.press('1**2', 10);
    expect(bench.story()).toEqual(['active 200 "1"']);
    bench.subscribe(documentOf('persist="single-notify"', '*{2}2'));
    bench.wait(100);
    expect(bench.story()).toEqual(['active 200 "**2"']);
  });
});
