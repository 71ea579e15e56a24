import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KpmlNotifier } from '../../../src/dtmf/kpml-notifier.ts';
import { KPML_KEYS } from '../../../src/wire/kpml.ts';
import { KpmlLine } from './kpml-line.ts';
import { documentOf } from './kpml-notifier-bench.ts';

describe('both ends together', () => {
  test('every key typed while subscribed arrives once and in order, over many refreshes', () => {
    const keys = fc.array(
      fc.tuple(fc.constantFrom(...KPML_KEYS.split('')), fc.integer({ min: 1, max: 20_000 })),
      { maxLength: 60 },
    );
    const delays = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(keys, delays, (typed, delayList) => {
        let turn = 0;
        const line = new KpmlLine(60, () => delayList[(turn += 1) % delayList.length] ?? 0);
        line.start();
        line.wait(2000);
        for (const [index, [key, gapMs]] of typed.entries()) {
          line.press(String(index), key);
          line.wait(gapMs);
        }
        line.wait(100_000);
        expect(line.heard.join('')).toBe(typed.map(([key]) => key).join(''));
        expect(line.subscriber.state).toMatch(/^(?:active|refreshing|confirming)$/);
      }),
    );
  });

  test('any SUBSCRIBE is answered, any NOTIFY too', () => {
    const text = fc.option(
      fc.oneof(fc.string(), fc.constantFrom('kpml', 'kpml;id=1', '60', 'active')),
      {
        nil: undefined,
      },
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 20 }).map((dregex) => Buffer.from(documentOf('', dregex))),
    );
    fc.assert(
      fc.property(text, text, text, body, (event, number, type, bytes) => {
        const notifier = new KpmlNotifier({});
        const request = { event, expires: number, accept: type, contentType: type, body: bytes };
        expect(notifier.subscribe(request, 0)[0]?.type).toBe('respond');
        const line = new KpmlLine(7200, () => 0);
        line.start();
        const notify = {
          event,
          subscriptionState: number,
          contentType: type,
          body: bytes,
          cseq: 1,
        };
        expect(line.subscriber.receiveNotify(notify, 0)[0]?.type).toBe('respond');
      }),
    );
  });
});
