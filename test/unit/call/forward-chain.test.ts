import { describe, expect, test } from 'vitest';
import {
  arrivedChain,
  arrivedForwards,
  extendedBy,
  type ForwardChain,
  forwardHeaders,
  type ForwardTold,
  obstacleTo,
  ownHistory,
  placesOf,
  type Retarget,
} from '../../../src/call/forward/forward-chain.ts';
import { requestOf } from '../../support/message-of.ts';

function inviteWith(headers: Readonly<Record<string, string>>): ReturnType<typeof requestOf> {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return requestOf('INVITE sip:a@pbx.example SIP/2.0', ...fields);
}

const A = 'sip:a@pbx.example';
const B = 'sip:b@pbx.example';
const C = 'sip:c@pbx.example';

const A_TO_B: Retarget = {
  feature: 'CallForwardingAlways',
  reason: 'unconditional',
  from: A,
  to: 'sip:b@pbx.example:5070;transport=tcp',
  isPrivate: false,
};
const B_TO_C: Retarget = {
  feature: 'CallForwardingBusy',
  reason: 'user-busy',
  from: B,
  to: C,
  isPrivate: false,
};

const TOLD: ForwardTold = {
  retargets: [A_TO_B],
  asked: undefined,
  usual: 'both',
  arrived: 0,
  accountUri: () => undefined,
  isTrusted: true,
  called: 'sip:b@10.0.0.1',
};

const OLD_DIVERSION = '<sip:0@x>;reason=no-answer;counter=1;privacy=off';
const OLD_HISTORY = '<sip:0@x>;index=1, <sip:a@x;cause=408>;index=1.1;mp=1';

describe('what a callee is told', () => {
  test('two forwards in a row', () => {
    expect(forwardHeaders({}, { ...TOLD, retargets: [A_TO_B, B_TO_C] })).toEqual({
      Diversion:
        '<sip:b@pbx.example>;reason=user-busy;counter=1;privacy=off, ' +
        '<sip:a@pbx.example>;reason=unconditional;counter=1;privacy=off',
      'History-Info':
        '<sip:a@pbx.example>;index=1, ' +
        '<sip:b@pbx.example;cause=302?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1, ' +
        '<sip:c@pbx.example;cause=486>;index=1.1.1;mp=1.1',
    });
  });

  test('older forwards are kept, newest on top in one header and last in the other', () => {
    const crossed = { Diversion: OLD_DIVERSION, 'History-Info': OLD_HISTORY };
    expect(forwardHeaders(crossed, TOLD)).toEqual({
      Diversion: `<sip:a@pbx.example>;reason=unconditional;counter=1;privacy=off, ${OLD_DIVERSION}`,
      'History-Info':
        '<sip:0@x>;index=1, <sip:a@pbx.example;cause=408>;index=1.1;mp=1, ' +
        '<sip:b@pbx.example;cause=302>;index=1.1.1;mp=1.1',
    });
  });

  test.each<[string, Partial<ForwardTold>, Record<string, string>, readonly string[]]>([
    ['nothing happened, nobody asks', { retargets: [] }, { Diversion: OLD_DIVERSION }, []],
    ['none is wanted', { usual: 'none' }, {}, []],
    ['the agent wants none', { asked: 'none' }, {}, []],
    ['one form is wanted', { usual: 'diversion' }, {}, ['Diversion']],
    ['the agent wants the other', { asked: 'history-info' }, {}, ['History-Info']],
    [
      'a form is not derived for who does not ask',
      { retargets: [A_TO_B], usual: 'history-info' },
      { Diversion: OLD_DIVERSION },
      ['History-Info'],
    ],
  ])('%s', (_, change, crossed, names) => {
    expect(Object.keys(forwardHeaders(crossed, { ...TOLD, ...change }))).toEqual(names);
  });

  test.each<[ForwardTold['asked'], Record<string, string>, Record<string, string>]>([
    [
      'history-info',
      { Diversion: OLD_DIVERSION },
      { 'History-Info': '<sip:0@x>;index=1, <sip:b@10.0.0.1;cause=408>;index=1.1;mp=1' },
    ],
    ['diversion', { 'History-Info': OLD_HISTORY }, { Diversion: OLD_DIVERSION }],
    ['diversion', { Diversion: OLD_DIVERSION }, { Diversion: OLD_DIVERSION }],
    ['diversion', {}, {}],
  ])('an agent that asks for %s gets of %j: %j', (asked, crossed, expected) => {
    expect(forwardHeaders(crossed, { ...TOLD, retargets: [], asked })).toEqual(expected);
  });

  test.each([
    [true, 'sip:a@pbx.example'],
    [false, 'sip:anonymous@anonymous.invalid'],
  ])('a private account is shown to a trusted side (%s) as %s', (isTrusted, shown) => {
    const retargets = [{ ...A_TO_B, isPrivate: true }];
    const headers = forwardHeaders({}, { ...TOLD, retargets, isTrusted });
    expect(headers['Diversion']).toBe(`<${shown}>;reason=unconditional;counter=1;privacy=full`);
    expect(headers['History-Info']).toContain(`<${shown}?Privacy=history>;index=1`);
  });
});

describe('forwards that the callee is not told by name', () => {
  const NOBODY = '<sip:anonymous@anonymous.invalid>;reason=unknown;counter=3;privacy=full';
  const OWN = '<sip:a@pbx.example>;reason=unconditional;counter=1;privacy=off';

  test('count in both headers', () => {
    const headers = forwardHeaders({}, { ...TOLD, arrived: 3, isTrusted: false });
    expect(headers['Diversion']).toBe(`${OWN}, ${NOBODY}`);
    const { diversions, history } = arrivedChain(inviteWith(headers));
    expect(arrivedForwards({ diversions, history: [] })).toBe(4);
    expect(arrivedForwards({ diversions: [], history })).toBe(4);
  });

  test.each([
    [
      'those that are named count once',
      { Diversion: OLD_DIVERSION },
      1,
      `${OWN}, ${OLD_DIVERSION}`,
    ],
    ['the rest is added', { Diversion: OLD_DIVERSION }, 4, `${OWN}, ${OLD_DIVERSION}, ${NOBODY}`],
  ])('%s', (_, crossed, arrived, expected) => {
    expect(forwardHeaders(crossed, { ...TOLD, arrived })['Diversion']).toBe(expected);
  });

  test('are no news where nobody forwards here', () => {
    const told = { ...TOLD, retargets: [], asked: 'both', arrived: 3 } as const;
    expect(forwardHeaders({}, told)).toEqual({});
  });
});

function accountUri(uri: string): string | undefined {
  return uri.startsWith('sip:7@127.0.0.1') ? 'sip:7@pbx.example' : undefined;
}

test('an account has its own name, whatever address it was reached at', () => {
  const crossed = {
    Diversion: '<sip:7@127.0.0.1>;reason=user-busy;counter=1, <sip:7@far.example>',
    'History-Info': '<sip:7@127.0.0.1?Privacy=history>;index=1, <sip:0@x;cause=486>;index=1.1;mp=1',
  };
  const headers = forwardHeaders(crossed, { ...TOLD, accountUri });
  expect(headers['Diversion']).toContain(
    ', <sip:7@pbx.example>;reason=user-busy;counter=1, <sip:7@far.example>',
  );
  const retargets = [{ ...A_TO_B, to: 'sip:7@127.0.0.1:5070' }];
  expect(ownHistory({ retargets, accountUri })).toContain(
    '<sip:7@pbx.example;cause=302>;index=1.1',
  );
  expect(headers['History-Info']).toMatch(
    /^<sip:7@pbx\.example\?Privacy=history>;index=1, <sip:0@x;cause=486>;index=1\.1;mp=1, /,
  );
});

function identify(uri: string): string {
  return uri.replace(/[:;](?:\d|t).*$/, '');
}

function chain(
  headers: Readonly<Record<string, string>>,
  retargets: readonly Retarget[] = [],
): ForwardChain {
  return retargets.reduce(extendedBy, arrivedChain(inviteWith(headers)));
}

describe('where a call may not go', () => {
  test.each<[Record<string, string>, readonly Retarget[], string, string | undefined]>([
    [{}, [], B, undefined],
    [{}, [], A, 'loop'],
    [{}, [B_TO_C], B, 'loop'],
    [{ Diversion: `<${B}>;reason=user-busy` }, [], B, 'loop'],
    [{ 'History-Info': `<${B}>;index=1` }, [], B, 'loop'],
    [{ Diversion: `<${A}>;reason=user-busy` }, [], B, 'loop'],
    [{ 'History-Info': `<${A}>;index=1, <sip:9@x;cause=302>;index=1.1;mp=1` }, [], B, 'loop'],
    [{ 'History-Info': `<sip:9@x>;index=1, <${A};cause=302>;index=1.1;mp=1` }, [], B, undefined],
    [{ 'History-Info': `<${A}>;index=1, <${A};user=phone>;index=1.1;rc=1` }, [], B, undefined],
    [{ Diversion: '<sip:0@x>;counter=many' }, [], B, 'too-many-forwards'],
    [{ Diversion: '<sip:0@x>;counter=4' }, [], B, undefined],
    [{ Diversion: '<sip:0@x>;counter=4, <sip:1@x>' }, [], B, 'too-many-forwards'],
    [{ Diversion: '<sip:0@x>;counter=4' }, [B_TO_C], 'sip:d@x', 'too-many-forwards'],
    [{ 'History-Info': `${OLD_HISTORY}, <sip:9@x>;index=1.2` }, [], B, undefined],
  ])('after %j and %j to %s: %s', (headers, retargets, to, expected) => {
    const from = 'sip:a@pbx.example';
    expect(obstacleTo(chain(headers, retargets), { from, to }, { identify, most: 5 })).toBe(
      expected,
    );
  });

  test('everybody it has been for', () => {
    const headers = { Diversion: '<sip:1@x>;reason=no-answer, <sip:0@x>;reason=user-busy' };
    expect(placesOf(chain(headers, [{ ...A_TO_B, to: B }, B_TO_C]))).toEqual([
      'sip:0@x',
      'sip:1@x',
      A,
      B,
      C,
    ]);
  });
});
