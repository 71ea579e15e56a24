import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readXmlTree, XmlFlaw } from '../../../src/wire/xml-tree.ts';
import type { XmlElement } from '../../../src/wire/xml-tree.ts';
import { decodeXmlText } from '../../../src/wire/xml-encoding.ts';
import { escapeXml, parseXml, XML_MAX_BYTES } from '../../../src/wire/xml.ts';

const anyNamespace = { isNamespaceAllowed: () => true };

function read(text: string | Buffer): ReturnType<typeof parseXml> {
  return parseXml(Buffer.from(text), anyNamespace);
}

function rootOf(text: string | Buffer): XmlElement {
  const result = read(text);
  if (result.type !== 'document') throw new Error(`${result.type}: ${result.detail}`);
  return result.root;
}

/** The shortest of several runs: the machine may be busy, the reader may not. */
function fastestMs(run: () => unknown): number {
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

/** [what it is, the input, how it is refused] */
const ATTACKS: [name: string, input: string | Buffer, refusal: string][] = [
  [
    'document type with nested entities',
    '<!DOCTYPE k [<!ENTITY a "x"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><k>&c;</k>',
    'not-xml',
  ],
  [
    'one entity used 20 000 times',
    `<!DOCTYPE k [<!ENTITY a "${'x'.repeat(9000)}">]><k>${'&a;'.repeat(20_000)}</k>`,
    'too-large',
  ],
  [
    'external entity',
    '<!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/passwd">]><k>&x;</k>',
    'not-xml',
  ],
  ['document type in small letters', '<!doctype k><k/>', 'not-xml'],
  ['entity declaration without document type', '<!eNtItY a "x"><k/>', 'not-xml'],
  ['200 000 numeric references', `<k>${'&#65;'.repeat(200_000)}</k>`, 'too-large'],
  ['reference beyond Unicode', '<k>&#9999999;</k>', 'not-xml'],
  ['reference to a control character', '<k a="&#0;"/>', 'not-xml'],
  ['reference to a surrogate', '<k a="&#xD800;"/>', 'not-xml'],
  ['50 000 nested tags', '<a>'.repeat(50_000) + '</a>'.repeat(50_000), 'too-large'],
  ['17 levels', '<a>'.repeat(17) + '</a>'.repeat(17), 'not-xml'],
  ['2 000 nested tags', '<a>'.repeat(2000) + '</a>'.repeat(2000), 'not-xml'],
  ['50 000 attributes', `<k ${manyAttributes(50_000)}/>`, 'too-large'],
  ['1 000 attributes', `<k ${manyAttributes(1000)}/>`, 'not-xml'],
  ['33 attributes', `<k ${manyAttributes(33)}/>`, 'not-xml'],
  ['4 000 empty elements', `<k>${'<a/>'.repeat(4000)}</k>`, 'not-xml'],
  ['257 elements', `<k>${'<a/>'.repeat(256)}</k>`, 'not-xml'],
  ['attribute of 5 MB', `<k a="${'x'.repeat(5_000_000)}"/>`, 'too-large'],
  ['element named __proto__', '<__proto__/>', 'not-xml'],
  ['duplicate attribute', '<k digits="1" digits="2"/>', 'not-xml'],
  [
    'duplicate attribute by two prefixes',
    '<k xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>',
    'not-xml',
  ],
  ['NUL in an attribute', '<k a="1\u00002"/>', 'not-xml'],
  ['control character in text', '<k>\u0007</k>', 'not-xml'],
  ['character U+FFFF', '<k>\uFFFF</k>', 'not-xml'],
  ['two roots', '<k/><k/>', 'not-xml'],
  ['text behind the root', '<k/>junk', 'not-xml'],
  ['text behind the root, hidden by a comment', '<k/>junk<!-- c -->', 'not-xml'],
  ['text behind the root, hidden by an instruction', '<k/>junk<?pi ?>', 'not-xml'],
  ['text before the root', 'junk<k/>', 'not-xml'],
  ['undefined entity', '<k>&foo;</k>', 'not-xml'],
  ['bare ampersand', '<k a="a&b"/>', 'not-xml'],
  ['less-than sign in an attribute', '<k a="<"/>', 'not-xml'],
  ['unbound prefix', '<p:k/>', 'not-xml'],
  ['unbound prefix of an attribute', '<k p:a="1"/>', 'not-xml'],
  ['prefix bound to nothing', '<p:k xmlns:p=""/>', 'not-xml'],
  ['rebound xml prefix', '<k xmlns:xml="u"/>', 'not-xml'],
  ['bound xmlns prefix', '<k xmlns:xmlns="u"/>', 'not-xml'],
  ['name with two colons', '<a:b:c xmlns:a="u"/>', 'not-xml'],
  ['declaration inside the root', '<k><!ELEMENT x></k>', 'not-xml'],
  ['second XML declaration', '<k><?xml version="1.0"?></k>', 'not-xml'],
  ['no markup', 'hello', 'not-xml'],
  ['empty body', '', 'not-xml'],
  ['only a comment', '<!-- k -->', 'not-xml'],
  ['open root', '<k>', 'not-xml'],
  ['open comment', '<k/><!-- >', 'not-xml'],
  ['open instruction', '<?xml version="1.0"?><k></k><?x >', 'not-xml'],
  ['JSON', '{"k":1}', 'not-xml'],
  ['XML 1.1', '<?xml version="1.1"?><k/>', 'not-xml'],
  ['declared UTF-16', '<?xml version="1.0" encoding="UTF-16"?><k/>', 'encoding'],
  ['declared Windows-1252', "<?xml version='1.0' encoding='windows-1252'?><k/>", 'encoding'],
  [
    'UTF-8 mark with declared UTF-16',
    '\uFEFF<?xml version="1.0" encoding="utf-16"?><k/>',
    'encoding',
  ],
  ['UTF-16 with mark', Buffer.from('\uFEFF<k/>', 'utf16le'), 'encoding'],
  ['UTF-16 without mark', Buffer.from('<k/>', 'utf16le'), 'encoding'],
  ['UTF-16 big-endian', Buffer.from('<k/>', 'utf16le').swap16(), 'encoding'],
  ['UTF-16 with mark, read as UTF-8', Buffer.from('\uFFFD\uFFFD<\0k\0/\0>\0'), 'encoding'],
  ['UTF-16 big-endian with mark, read as UTF-8', Buffer.from('\uFFFD\uFFFD\0<\0k'), 'encoding'],
  ['UTF-32', Buffer.from([0, 0, 0, 0x3c, 0, 0, 0, 0x6b]), 'encoding'],
  ['broken UTF-8', Buffer.from([0x3c, 0x6b, 0xc3, 0x3e]), 'encoding'],
  [
    'US-ASCII with an umlaut',
    Buffer.from('<?xml version="1.0" encoding="US-ASCII"?><k>ä</k>'),
    'encoding',
  ],
  ['replacement character in a value', '<k a="\uFFFD"/>', 'encoding'],
  ['replacement character in CDATA', '<k><![CDATA[\uFFFD]]></k>', 'encoding'],
];

function manyAttributes(count: number): string {
  return Array.from({ length: count }, (_, index) => `a${index}="1"`).join(' ');
}

describe('attacks', () => {
  test.each(ATTACKS)('%s is refused', (_name, input, refusal) => {
    expect(read(input).type).toBe(refusal);
  });

  test('an unexpected namespace is refused', () => {
    const rule = { isNamespaceAllowed: (namespace: string) => namespace === 'urn:good' };
    expect(parseXml(Buffer.from('<k xmlns="urn:evil"/>'), rule).type).toBe('foreign-namespace');
    expect(parseXml(Buffer.from('<k/>'), rule).type).toBe('foreign-namespace');
    expect(parseXml(Buffer.from('<p:k xmlns:p="urn:good"/>'), rule).type).toBe('document');
  });

  test.each(ATTACKS)('%s costs less than 5 ms', (_name, input) => {
    const bytes = Buffer.from(input);
    expect(fastestMs(() => parseXml(bytes, anyNamespace))).toBeLessThan(5);
  });

  test('1 MB costs nothing', () => {
    const bytes = Buffer.alloc(1_000_000, 0x3c);
    expect(fastestMs(() => parseXml(bytes, anyNamespace))).toBeLessThan(1);
  });

  test('names of JavaScript properties are plain names', () => {
    const root = rootOf('<k constructor="1" __proto__="2" toString="3"/>');
    expect([...root.attributes]).toEqual([
      ['constructor', '1'],
      ['__proto__', '2'],
      ['toString', '3'],
    ]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  test('a caller may ask for tighter limits', () => {
    const rule = { ...anyNamespace, maxDepth: 2, maxElements: 3, maxAttributes: 1 };
    const typeOf = (text: string): string => parseXml(Buffer.from(text), rule).type;
    expect(typeOf('<k a="1"><b/><b/></k>')).toBe('document');
    expect(typeOf('<k><b><c/></b></k>')).toBe('not-xml');
    expect(typeOf('<k><b/><b/><b/></k>')).toBe('not-xml');
    expect(typeOf('<k a="1" b="2"/>')).toBe('not-xml');
  });
});

describe('reading', () => {
  test('children keep their order, comments and instructions vanish', () => {
    const root = rootOf('<k>a<!-- no --><p>b</p><?pi no?>c<![CDATA[<d> & e]]></k>');
    expect(root.children).toEqual([
      'a',
      { namespace: '', name: 'p', attributes: new Map(), children: ['b'] },
      'c',
      '<d> & e',
    ]);
  });

  test.each([
    ['single quotes', "<k a='1'/>", '1'],
    ['blanks around the equals sign', '<k a = "1" />', '1'],
    ['predefined entities', '<k a="&lt;&gt;&amp;&quot;&apos;"/>', `<>&"'`],
    ['nothing expands twice', '<k a="&amp;lt;"/>', '&lt;'],
    ['numeric references', '<k a="&#65;&#x42;&#x1F600;"/>', 'AB\u{1F600}'],
    ['line end in a value', '<k a="1\r\n2"/>', '1 2'],
    ['referenced line end', '<k a="1&#10;2"/>', '1\n2'],
    ['greater-than sign in a value', '<k a="1>2"/>', '1>2'],
    ['UTF-8 mark', '\uFEFF<k a="ä"/>', 'ä'],
    ['declaration after a blank', ' <?xml version="1.0" encoding="utf-8"?>\n<k a="ä"/>\n', 'ä'],
    ['comment and instruction around', '<!-- c --><?p?><k a="1"/><!-- c --> <?p?>\n', '1'],
    [
      'mark before declared US-ASCII',
      '\uFEFF<?xml version="1.0" encoding="ASCII"?><k a="ä"/>',
      'ä',
    ],
    ['declared US-ASCII', '<?xml version="1.0" encoding="us-ascii"?><k a="1"/>', '1'],
  ])('%s', (_name, text, expected) => {
    expect(rootOf(text).attributes.get('a')).toBe(expected);
  });

  test('ISO-8859-1 is read by its declaration', () => {
    const text = '<?xml version="1.0" encoding="ISO-8859-1"?><k a="ä"/>';
    expect(rootOf(Buffer.from(text, 'latin1')).attributes.get('a')).toBe('ä');
  });

  test('namespaces are resolved, attributes have none without a prefix', () => {
    const root = rootOf(
      '<k xmlns="u" xmlns:p="v" a="1" p:a="2" xml:lang="de"><p:x/><y xmlns=""/></k>',
    );
    expect(root.namespace).toBe('u');
    expect([...root.attributes]).toEqual([
      ['a', '1'],
      ['{v}a', '2'],
      ['{http://www.w3.org/XML/1998/namespace}lang', 'de'],
    ]);
    expect(root.children).toMatchObject([
      { namespace: 'v', name: 'x' },
      { namespace: '', name: 'y' },
    ]);
  });

  test('16 levels, 256 elements, 32 attributes and 16 kB are still read', () => {
    expect(read('<a>'.repeat(16) + '</a>'.repeat(16)).type).toBe('document');
    expect(read(`<k>${'<a/>'.repeat(255)}</k>`).type).toBe('document');
    expect(read(`<k ${manyAttributes(32)}/>`).type).toBe('document');
    const frame = '<k></k>';
    expect(read(`<k>${'x'.repeat(XML_MAX_BYTES - frame.length)}</k>`).type).toBe('document');
    expect(read(`<k>${'x'.repeat(XML_MAX_BYTES - frame.length + 1)}</k>`).type).toBe('too-large');
  });
});

describe('properties', () => {
  test('any bytes give a result', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(read(Buffer.from(bytes)).type).toMatch(/^(?:not-xml|encoding|document)$/);
      }),
    );
  });

  test('anything between tags gives a result', () => {
    const scraps = fc.constantFrom(
      '<',
      '>',
      '&',
      '/',
      '!',
      '?',
      '-',
      '"',
      "'",
      '=',
      'a',
      ' ',
      '[',
      ']',
    );
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 30 }), (parts) => {
        expect(() => read(`<k>${parts.join('')}</k>`)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('what is escaped reads back, as attribute and as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        // Characters that XML lacks do not survive.
        const expected = text
          .toWellFormed()
          .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFC\u{10000}-\u{10FFFF}]/gu, '');
        const root = rootOf(`<k a="${escapeXml(expected)}">.${escapeXml(expected)}.</k>`);
        expect(root.attributes.get('a')).toBe(expected);
        expect(root.children).toEqual([`.${expected}.`]);
      }),
    );
  });

  test('escaping leaves out what XML lacks', () => {
    expect(escapeXml('a\u0000b\uD800c\uFFFEd\uFFFDe\u{1F600}')).toBe('abcde\u{1F600}');
    expect(escapeXml('<&>"\t\r\n')).toBe('&lt;&amp;&gt;&quot;&#9;&#13;&#10;');
  });
});

describe('the tree walk distrusts the parser', () => {
  const limits = { maxDepth: 2, maxElements: 3, maxAttributes: 1 };

  test.each([
    ['no list', {}],
    ['no node', [1]],
    ['null', [null]],
    ['a node without a name', [{ ':@': {} }]],
    ['attributes that are no object', [{ k: [], ':@': 1 }]],
    ['children that are no list', [{ k: 'text' }]],
    ['text beside the root', [{ '#text': 'junk' }, { k: [] }]],
  ])('%s is refused', (_name, parsed) => {
    expect(() => readXmlTree(parsed, limits)).toThrow(XmlFlaw);
  });

  test('blanks beside the root are no text', () => {
    expect(readXmlTree([{ '#text': ' \n' }, { k: [] }], limits).name).toBe('k');
  });
});

test('the decoder joins line ends', () => {
  expect(decodeXmlText(Buffer.from('a\r\nb\rc\n'))).toEqual({ type: 'text', text: 'a\nb\nc\n' });
});
