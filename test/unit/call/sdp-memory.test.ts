import { describe, expect, test } from 'vitest';
import { FormatMemory, IssuedDescriptions } from '../../../src/call/offer/sdp-memory.ts';
import { formatSdp, parseSdp, type Sdp } from '../../../src/wire/sdp.ts';
import { text } from './offer-answer-fixtures.ts';

function audio(formats: string, ...attributes: string[]): Sdp {
  return parseSdp(text('v=0', 's=-', `m=audio 4000 RTP/AVP ${formats}`, ...attributes));
}

function version(sdp: Sdp): string {
  return /o=- 7 (\d+) /.exec(formatSdp(sdp))?.[1] ?? '';
}

describe('payload types of a leg', () => {
  test('are remembered by what they meant, per section', () => {
    const memory = new FormatMemory();
    memory.seen(audio('0 97 200 x', 'a=rtpmap:97 telephone-event/8000'));
    memory.sent(audio('8 101', 'a=rtpmap:101 telephone-event/8000'));
    expect([...memory.others(0)]).toEqual([0, 8]);
    expect([...memory.eventNumbers(0, 8000)]).toEqual([97, 101]);
    expect([...memory.earlierEvents(0)]).toEqual([[8000, 101]]);
    expect([...memory.others(1)]).toEqual([]);
    expect([...memory.eventNumbers(0, 48_000)]).toEqual([]);
  });

  test('do not grow with ever new clock rates', () => {
    const memory = new FormatMemory();
    for (let rate = 8000; rate < 8100; rate += 1) {
      memory.sent(audio('0 101', `a=rtpmap:101 telephone-event/${rate}`));
    }
    expect(memory.earlierEvents(0).size).toBe(8);
    expect([...memory.eventNumbers(0, 8007)]).toEqual([101]);
    expect([...memory.eventNumbers(0, 8008)]).toEqual([]);
  });
});

describe('versions of our descriptions', () => {
  test('rise when the text changes, and never fall back to a used one', () => {
    const issued = new IssuedDescriptions('7');
    const steps: [string, string][] = [];
    const issue = (formats: string): void => {
      steps.push([formats, version(issued.issue(audio(formats), '192.0.2.1'))]);
    };
    issue('0');
    issue('0');
    issued.agree();
    issue('8');
    issued.abandon();
    issue('0');
    issue('8');
    issued.agree();
    issue('0');
    expect(steps).toEqual([
      ['0', '1'],
      ['0', '1'],
      ['8', '2'],
      ['0', '1'],
      ['8', '3'],
      ['0', '4'],
    ]);
  });

  test('rise without a change too, once the reader has accepted one that came to nothing', () => {
    const issued = new IssuedDescriptions('7');
    issued.issue(audio('0'), '192.0.2.1');
    issued.agree();
    issued.issue(audio('8'), '192.0.2.1');
    issued.abandon();
    issued.renew();
    expect(version(issued.issue(audio('0'), '192.0.2.1'))).toBe('3');
  });
});
