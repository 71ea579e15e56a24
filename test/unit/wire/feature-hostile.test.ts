import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readFeatureSets } from '../../../src/wire/feature-sets.ts';
import { dnd, VECTORS } from './feature-samples.ts';

const TYPE = 'application/x-as-feature-event+xml';

describe('hostile bodies', () => {
  const MULTIPART = 'multipart/mixed;boundary=a';
  /** [name, body, Content-Type, status] */
  const ATTACKS: [name: string, body: string, contentType: string, status: number][] = [
    ['1 MB', 'x'.repeat(1_000_000), TYPE, 413],
    ['1 MB of boundaries', '--a\r\n'.repeat(200_000), MULTIPART, 413],
    ['16 kB of boundaries', '--a\r\n'.repeat(3200), MULTIPART, 400],
    ['16 kB of almost boundaries', '--a-'.repeat(4000), MULTIPART, 400],
    ['a head without end', `--a\r\n${'x: y\r\n'.repeat(2600)}`, MULTIPART, 400],
    ['5 000 levels', '<a>'.repeat(5000), TYPE, 400],
    ['attributes without values', `<a${' a'.repeat(8000)}/>`, TYPE, 400],
    ['attributes without names', `<a ${'= '.repeat(8000)}/>`, TYPE, 400],
    ['attributes of one name', `<a ${'x="" '.repeat(120)}/>`, TYPE, 400],
    ['white space in a tag', `<a${' '.repeat(16_000)}/>`, TYPE, 400],
    ['white space in the declaration', `<?xml ${'\t'.repeat(16_000)}?><a/>`, TYPE, 400],
    ['white space around an equals sign', `<a x${'\n'.repeat(16_000)}="1"/>`, TYPE, 400],
    ['white space alone', ' '.repeat(16_000), TYPE, 400],
    ['white space before an open tag', `<a>${' '.repeat(16_000)}<b`, TYPE, 400],
    [
      'white space between tags',
      `<a>${'<b> \n'.repeat(15)}${' '.repeat(15_000)}</b></a>`,
      TYPE,
      400,
    ],
    ['white space between many tags', `<a>${`<b/>${' '.repeat(240)}`.repeat(65)}</a>`, TYPE, 400],
    [
      'white space in a value',
      dnd(`<doNotDisturbOn>t${' '.repeat(15_000)}r</doNotDisturbOn>`),
      TYPE,
      400,
    ],
    ['ampersands', dnd(`<device>${'&'.repeat(15_000)}</device>`), TYPE, 400],
    ['half references', dnd(`<device>${'&#65'.repeat(3800)}</device>`), TYPE, 400],
    ['open comments', '<!--'.repeat(4000), TYPE, 400],
    ['open CDATA sections', `<a>${'<![CDATA['.repeat(1700)}`, TYPE, 400],
    ['less-than signs', '<'.repeat(16_000), TYPE, 400],
    ['NULs', '\0'.repeat(16_000), TYPE, 400],
    ['quotes', `<a x="${'"'.repeat(16_000)}`, TYPE, 400],
  ];

  test.each(ATTACKS)('%s is refused without delay', (_name, text, contentType, status) => {
    const body = Buffer.from(text);
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 10; run += 1) {
      const startedAtMs = performance.now();
      expect(readFeatureSets({ contentType, body })).toMatchObject({ type: 'refused', status });
      fastestMs = Math.min(fastestMs, performance.now() - startedAtMs);
    }
    // The shortest of several runs: the machine may be busy, the reader may not.
    expect(fastestMs).toBeLessThan(5);
  });

  test('a body with bytes changed, lost or repeated is read or refused', () => {
    const body = fc.constantFrom(...VECTORS.map(([, text]) => Buffer.from(text)));
    const edit = fc.tuple(fc.nat(400), fc.nat(20), fc.uint8Array({ maxLength: 6 }));
    const contentType = fc.constantFrom(TYPE, MULTIPART, 'text/xml', 'multipart/mixed');
    fc.assert(
      fc.property(body, fc.array(edit, { maxLength: 4 }), contentType, (bytes, edits, type) => {
        const edited = edits.reduce(
          (rest, [at, lost, put]) =>
            Buffer.concat([rest.subarray(0, at), put, rest.subarray(at + lost)]),
          bytes,
        );
        const result = readFeatureSets({ contentType: type, body: edited });
        expect(['sets', 'refused']).toContain(result.type);
      }),
    );
  });
});
