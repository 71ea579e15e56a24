import { expect, test } from 'vitest';
import { parseXml } from '../../../src/wire/xml.ts';
import type { XmlRefused } from '../../../src/wire/xml.ts';

/** [what it is, the document, what the refusal says besides words] */
const REFUSALS: [name: string, text: string, expected: Omit<XmlRefused, 'type' | 'detail'>][] = [
  [
    'an attribute given twice',
    '<k>\n  <b x="1" x="2"/></k>',
    { position: { line: 2, column: 12 } },
  ],
  ['a tag that is not closed', '<k>\n <b></k>', { position: { line: 2, column: 5 } }],
  ['a document without a tag', '<![CDATA[k]]>', {}],
  ['a name that the parser does not take', '<__proto__/>', {}],
  ['17 levels', nested(17), { flaw: 'limits' }],
  ['100 levels', nested(100), { flaw: 'limits' }],
  ['1 000 levels', nested(1000), { flaw: 'limits' }],
  ['a document type', '<!DOCTYPE k><k/>', { flaw: 'doctype' }],
];

function nested(levels: number): string {
  return '<k>'.repeat(levels) + '</k>'.repeat(levels);
}

test.each(REFUSALS)('%s is refused with kind and place', (_name, text, expected) => {
  const { type, detail, ...rest } = { detail: '', ...parseXml(Buffer.from(text), ANY) };
  expect(type).toBe('not-xml');
  expect(detail).not.toBe('');
  expect(rest).toEqual(expected);
});

const ANY = { isNamespaceAllowed: () => true };
