import { expect, test } from 'vitest';
import { readAcme } from '../../../../src/config/acme/acme-text.ts';
import type { AcmeElement } from '../../../../src/config/acme/acme-tree.ts';

/** `name(parameter=value child(…))`. */
function shape({ name, parameters, children }: AcmeElement): string {
  const inside = [
    ...parameters.map((parameter) => `${parameter.name}=${parameter.raw}`),
    ...children.map((child) => shape(child)),
  ];
  return `${name}(${inside.join(' ')})`;
}

function read(text: string): string[] {
  return readAcme(text).elements.map((element) => shape(element));
}

test.each<[string, string, string[]]>([
  [
    'elements inside, indented by eight',
    'sip-interface\n        state          enabled\n        sip-port\n                address        10.0.0.1\n                port           5060\n        options        x\n',
    ['sip-interface(state=enabled options=x sip-port(address=10.0.0.1 port=5060))'],
  ],
  [
    'elements inside, indented by two',
    'sip-interface\n  state enabled\n  sip-port\n    address 10.0.0.1\n  sip-port\n    address 10.0.0.2\nsip-config\n',
    [
      'sip-interface(state=enabled sip-port(address=10.0.0.1) sip-port(address=10.0.0.2))',
      'sip-config()',
    ],
  ],
  [
    'tabs',
    'sip-interface\n\tstate\t\tenabled\n\tsip-port\n\t\taddress\t10.0.0.1\n',
    ['sip-interface(state=enabled sip-port(address=10.0.0.1))'],
  ],
  [
    'elements inside at the indentation of the parameters',
    'local-policy\n  to-address *\n  policy-attribute\n  next-hop a\n  cost 1\n  policy-attribute\n  next-hop b\n  description d\n',
    [
      'local-policy(to-address=* description=d policy-attribute(next-hop=a cost=1) policy-attribute(next-hop=b))',
    ],
  ],
  [
    'no indentation at all',
    'session-agent\nhostname a\nport 5060\nsession-agent\nhostname b\nlocal-policy\nto-address *\npolicy-attribute\nnext-hop a\n',
    [
      'session-agent(hostname=a port=5060)',
      'session-agent(hostname=b)',
      'local-policy(to-address=* policy-attribute(next-hop=a))',
    ],
  ],
  [
    'the whole text shifted',
    '    session-agent\n        hostname a\n    session-agent\n        hostname b\n',
    ['session-agent(hostname=a)', 'session-agent(hostname=b)'],
  ],
  [
    'lists below their name, as older releases print them',
    'local-policy\n        from-address\n                                       *\n        to-address\n                                       49\n                                       43\n        policy-attribute\n                next-hop                       SAG:a\n',
    ['local-policy(from-address=* to-address=49 43 policy-attribute(next-hop=SAG:a))'],
  ],
  [
    'a list in parentheses over several lines',
    'session-group\n        dest                                    (a\n                                                b\n                                                c)\n        strategy                                Hunt\n',
    ['session-group(dest=(a b c) strategy=Hunt)'],
  ],
  [
    'a text in quotes over two lines',
    'session-agent\n  description "the first\n    and the second"\n  port 5060\n',
    ['session-agent(description="the first and the second" port=5060)'],
  ],
  [
    'a quote that nothing closes takes no further line',
    'session-agent\n  description 19" rack\n  port 5060\n',
    ['session-agent(description=19" rack port=5060)'],
  ],
  [
    'parameters without value',
    'session-agent\n        hostname                                a\n        description\n        carriers\n        port                                    5060\n',
    ['session-agent(hostname=a description= carriers= port=5060)'],
  ],
  [
    'line ends of another system',
    'session-agent\r\n  hostname a\r\n  port 5060\r\n',
    ['session-agent(hostname=a port=5060)'],
  ],
  [
    'what a pager leaves',
    'session-agent\n  hostname a\n--More--\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b  port 5060\n--More--\n  state enabled\n-- more --\r            \rsip-config\n',
    ['session-agent(hostname=a port=5060 state=enabled)', 'sip-config()'],
  ],
  ['an element that nobody knows', 'future-thing\n        name x\n', ['future-thing(name=x)']],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected);
});

test('what stands around the configuration is set aside with its reason', () => {
  const text =
    'ACME-1# show running-config\n\nsession-agent\n  hostname a\ntask done\nACME-1(session-agent)# \nso long, and thanks\n# mine\n';
  expect(readAcme(text).strays).toEqual([
    { line: 1, text: 'ACME-1# show running-config', kind: 'surroundings', reason: 'a prompt' },
    { line: 5, text: 'task done', kind: 'surroundings', reason: 'said by the command line' },
    { line: 6, text: 'ACME-1(session-agent)#', kind: 'surroundings', reason: 'a prompt' },
    { line: 8, text: '# mine', kind: 'surroundings', reason: 'a remark' },
    { line: 7, text: 'so long, and thanks', kind: 'unreadable', reason: 'belongs to no element' },
  ]);
});

test('nesting without end is read as far as a configuration goes', () => {
  const deep = Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}x`).join('\n');
  const [element, ...others] = readAcme(`${deep}\n${' '.repeat(2000)}a b\n`).elements;
  expect(others).toEqual([]);
  expect(element?.name).toBe('x');
});
