import { describe, expect, test } from 'vitest';
import { DomainTable } from '../../../src/feature-keys/presentity.ts';
import {
  climb,
  type Identity,
  type KnownDialog,
  type LadderContext,
} from '../../../src/feature-keys/subscribe-ladder.ts';
import type { SipRequest } from '../../../src/wire/sip-message.ts';

const BODY = '<SetDoNotDisturb><doNotDisturbOn>true</doNotDisturbOn></SetDoNotDisturb>';
const TYPE = 'application/x-as-feature-event+xml';
const OWNER: Identity = { type: 'user', actor: '2001', accounts: ['2001'] };

interface Fault {
  readonly uri?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly identity?: Identity;
  readonly dialogs?: number;
}

/** One fault per check, in the order of the checks, and what answers it. */
const RUNGS: readonly (readonly [string, Fault, number, string])[] = [
  ['event', { headers: { Event: 'As-Feature-Event' } }, 489, ''],
  ['Require', { headers: { Require: 'eventlist' } }, 420, ''],
  ['size', { body: 'x'.repeat(16_385) }, 413, 'limits'],
  ['digest', { identity: { type: 'challenge', challenges: ['Digest a', 'Digest b'] } }, 401, ''],
  ['dialog', { headers: { To: '<sip:2001@pbx.example>;tag=gone' } }, 481, ''],
  ['account', { uri: 'sip:2001@foreign.example' }, 404, ''],
  ['identity', { identity: { type: 'user', actor: 'x', accounts: ['2002'] } }, 403, 'identity'],
  ['Accept', { headers: { Accept: 'text/plain' } }, 406, ''],
  ['Expires', { headers: { Expires: '30' } }, 423, ''],
  ['Content-Type', { headers: { 'Content-Type': 'text/plain' } }, 415, 'content-type'],
  ['body', { body: '<SetDoNotDisturb/>' }, 400, 'missing-element'],
  ['number', { dialogs: 32 }, 403, 'too-many'],
];

function subscribe({ uri = 'sip:2001@pbx.example', headers = {}, body = BODY }: Fault): SipRequest {
  const all: Readonly<Record<string, string>> = {
    From: '<sip:2001@pbx.example>;tag=1',
    To: '<sip:2001@pbx.example>',
    CSeq: '1 SUBSCRIBE',
    Event: 'as-feature-event;id=7',
    'Content-Type': TYPE,
    ...headers,
  };
  const fields = Object.entries(all).map(([name, value]) => ({ name, value }));
  return { type: 'request', method: 'SUBSCRIBE', uri, headers: fields, body: Buffer.from(body) };
}

function context({ identity = OWNER, dialogs = 0 }: Fault): LadderContext {
  return {
    domains: new DomainTable({ 'pbx.example': ['127.0.0.1'] }),
    expires: { defaultSeconds: 3600, minSeconds: 60, maxSeconds: 86_400 },
    perAccount: 32,
    allowEvents: 'kpml, as-feature-event',
    identify: () => identity,
    dialogsOf: () => dialogs,
  };
}

function judge(fault: Fault, dialog?: KnownDialog): ReturnType<typeof climb> {
  return climb(subscribe(fault), dialog, context(fault));
}

describe('the ladder', () => {
  test.each(RUNGS)('a fault in %s', (_name, fault, status, code) => {
    const result = judge(fault);
    expect(result).toMatchObject({ type: 'refused', status });
    const { Warning: warning = '' } = result.type === 'refused' ? result.headers : {};
    const form = code === '' ? /^$/ : new RegExp(`^399 [a-z.]+ "as-feature-event: ${code}: .+"$`);
    expect(warning).toMatch(form);
  });

  test.each(RUNGS)('a fault in %s is answered before all behind it', (name, fault, status) => {
    const index = RUNGS.findIndex(([each]) => each === name);
    for (const [, other] of RUNGS.slice(index + 1)) {
      const both = { ...other, ...fault, headers: { ...other.headers, ...fault.headers } };
      expect(judge(both)).toMatchObject({ type: 'refused', status });
    }
  });

  test('nobody is identified before the cheap checks are passed', () => {
    for (const [, fault] of RUNGS.slice(0, 3)) {
      const strict = { ...context(fault), identify: () => expect.unreachable() };
      expect(climb(subscribe(fault), undefined, strict)).toMatchObject({ type: 'refused' });
    }
  });

  test('what passes says what is wanted', () => {
    expect(judge({})).toMatchObject({
      type: 'accepted',
      actor: '2001',
      expiresSeconds: 3600,
      cseq: 1,
      event: { id: '7' },
      account: { presentity: 'sip:2001@pbx.example' },
      sets: [{ feature: 'DoNotDisturb', status: true }],
    });
  });
});

function warningHost(fault: Fault, dialog?: KnownDialog): string | undefined {
  const result = judge(fault, dialog);
  return result.type === 'refused' ? result.headers['Warning']?.split(' ')[1] : undefined;
}

describe('a Warning', () => {
  const fault = { body: '<SetDoNotDisturb/>' };

  test('names the domain of the account, whatever the request-URI says', () => {
    const account = { presentity: 'sip:2001@b.example', user: '2001', domain: 'b.example' };
    const dialog: KnownDialog = { account, eventId: '7', cseq: 0 };
    const identity = { type: 'user', actor: '2001', accounts: ['2001'] } as const;
    expect(warningHost({ ...fault, uri: 'sip:2001@127.0.0.1:5060' })).toBe('pbx.example');
    expect(warningHost({ ...fault, uri: 'sip:127.0.0.1', identity }, dialog)).toBe('b.example');
  });

  test('names a domain of ours where there is no account', () => {
    expect(warningHost({ identity: { type: 'malformed' }, uri: 'sip:2001@evil.example' })).toBe(
      'pbx.example',
    );
  });
});

describe('in a dialog', () => {
  const account = { presentity: 'sip:2001@pbx.example', user: '2001', domain: 'pbx.example' };
  const dialog: KnownDialog = { account, eventId: '7', cseq: 4 };
  const headers = { To: '<sip:x>;tag=ours', CSeq: '5 SUBSCRIBE' };

  test.each<[string, Fault, number | undefined]>([
    ['the stored account counts', { headers, uri: 'sip:10.0.0.1:5060' }, undefined],
    [
      'another id is another subscription',
      { headers: { ...headers, Event: 'as-feature-event' } },
      481,
    ],
    ['an old CSeq is out of order', { headers: { ...headers, CSeq: '4 SUBSCRIBE' } }, 500],
    ['the number of dialogs plays no part', { headers, dialogs: 99 }, undefined],
    ['somebody else gets nowhere', { headers, identity: { type: 'nobody' } }, 403],
  ])('%s', (_what, fault, status) => {
    const result = judge(fault, dialog);
    expect(result.type === 'refused' ? result.status : undefined).toBe(status);
  });
});

test.each([
  ['0', 0],
  ['60', 60],
  ['100000', 86_400],
  ['4294967295', 86_400],
  ['4294967296', 400],
  ['-1', 400],
  ['1.5', 400],
  ['', 400],
  ['59', 423],
])('Expires %s gives %i', (expires, outcome) => {
  const result = judge({ headers: { Expires: expires } });
  expect(result.type === 'accepted' ? result.expiresSeconds : result.status).toBe(outcome);
});
