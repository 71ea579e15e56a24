import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editAllowEvents, hasKpml, readAllowEvents } from '../../../src/wire/allow-events.ts';

/** A message with the header lines given as `Name: value`. */
function message(...lines: string[]): { headers: { name: string; value: string }[] } {
  return {
    headers: lines.map((line) => {
      const colon = line.indexOf(':');
      return { name: line.slice(0, colon), value: line.slice(colon + 1) };
    }),
  };
}

describe('the kpml token', () => {
  // oxfmt-ignore
  test.each([
    ['alone', ['Allow-Events: kpml'], true],
    ['in a list', ['Allow-Events: presence,kpml ,dialog'], true],
    ['in the compact form', ['u: kpml'], true],
    ['in the misspelt header', ['Allow-Event: kpml'], true],
    ['in capitals', ['ALLOW-EVENTS: KPML'], true],
    ['with a parameter', ['Allow-Events: kpml;x=1'], true],
    ['in the second of two headers', ['Allow-Events: presence', 'Allow-Events: kpml'], true],
    ['as part of another token', ['Allow-Events: xkpml, kpml-x'], false],
    ['in another header', ['Event: kpml', 'Supported: kpml'], false],
    ['nowhere', [], false],
  ])('%s', (_, lines, expected) => {
    expect(hasKpml(message(...lines))).toBe(expected);
  });
});

describe('editing', () => {
  // oxfmt-ignore
  test.each([
    ['keep', ['Allow-Events: presence, kpml'], 'presence, kpml'],
    ['keep', ['u: presence', 'Allow-Event: kpml'], 'presence, kpml'],
    ['keep', [], undefined],
    ['remove-kpml', ['Allow-Events: presence, kpml, dialog'], 'presence, dialog'],
    ['remove-kpml', ['Allow-Events: KPML', 'u: kpml', 'Allow-Event: presence'], 'presence'],
    ['remove-kpml', ['Allow-Events: kpml'], undefined],
    ['remove-kpml', ['Allow-Events: presence'], 'presence'],
    ['remove-kpml', [], undefined],
    ['add-kpml', [], 'kpml'],
    ['add-kpml', ['Allow-Events:'], 'kpml'],
    ['add-kpml', ['Allow-Events: presence, dialog'], 'presence, dialog, kpml'],
    ['add-kpml', ['u: Kpml'], 'Kpml'],
  ] as const)('%s of %j gives %s', (edit, lines, expected) => {
    expect(editAllowEvents(message(...lines), edit)).toBe(expected);
  });

  test('of anything: adding leaves one token, removing none, all others stay in order', () => {
    const token = fc.oneof(fc.constantFrom('kpml', 'KPML', 'presence', 'dialog'), fc.string());
    const name = fc.constantFrom('Allow-Events', 'u', 'Allow-Event', 'Supported');
    fc.assert(
      fc.property(fc.array(fc.record({ name, value: token })), (headers) => {
        const others = readAllowEvents({ headers }).filter(
          (each) => !hasKpml({ headers: [{ name: 'u', value: each }] }),
        );
        const removed = editAllowEvents({ headers }, 'remove-kpml');
        expect(removed).toBe(others.length === 0 ? undefined : others.join(', '));
        const added = editAllowEvents({ headers }, 'add-kpml') ?? '';
        expect(hasKpml({ headers: [{ name: 'u', value: added }] })).toBe(true);
        const again = { headers: [{ name: 'u', value: added }] };
        expect(editAllowEvents(again, 'add-kpml')).toBe(added);
      }),
    );
  });
});
