/**
 *   phone                     SBC (mode: pass)              server
 *     | SUBSCRIBE  -----------> | SUBSCRIBE  ---------------> |
 *     |                         | <-- NOTIFY of two forks --- |   before the answer
 *     | <---------------- 200   | <--------- 200 of the first |
 *     | SUBSCRIBE  -----------> | SUBSCRIBE  ---------------> |
 *     | <---------------- 404   | <-------------------- 404   |   there is no subscription any more
 *     | SUBSCRIBE  -----------> |                             |
 *     | <---------------- 481   |                             |
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FeaturePhone } from '../support/feature-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { headerOf, type LightReply, LightSip, uriOf } from '../support/light-sip.ts';
import { headerValues } from '../support/sip-text.ts';
import { type RunningSbc, startLoopbackSbc } from '../support/start-sbc.ts';

checkLeaksAfterEach();

/** What the server answers, one after the other; `undefined` keeps silent, and the SUBSCRIBE comes again. */
type Answer = { readonly status: number; readonly head?: readonly string[] } | undefined;

let server: LightSip;
let sbc: RunningSbc;
let plan: Answer[] = [];
/** SUBSCRIBEs at the server. */
let asked: string[] = [];
/** Called with a SUBSCRIBE that gets no answer yet. */
let whileWaiting: (subscribe: string) => void = () => {};

function serve(subscribe: string): LightReply | undefined {
  // One that nobody expects.
  if (plan.length === 0) return { status: 488 };
  const answer = plan.shift();
  if (answer === undefined) {
    whileWaiting(subscribe);
    return undefined;
  }
  asked.push(subscribe);
  const to = headerOf(subscribe, 'To');
  const head = [
    to.includes('tag=') ? `To: ${to}` : `To: ${to};tag=first`,
    ...(answer.status < 300 ? [`Contact: <sip:dfks@127.0.0.1:${server.port}>`] : []),
    ...(answer.head ?? []),
  ];
  return { status: answer.status, head };
}

interface Told {
  readonly tag: string;
  readonly cseq: number;
  readonly state?: string;
}

/** Sends a NOTIFY for the subscription that `subscribe` opened; gives its answer. */
async function notify(subscribe: string, { tag, cseq, state }: Told): Promise<number> {
  const [to = ''] = headerOf(subscribe, 'To').split(';tag=');
  const answer = await server.request({
    method: 'NOTIFY',
    uri: uriOf(headerOf(subscribe, 'Contact')),
    to: sbc.core,
    head: [
      `From: ${to};tag=${tag}`,
      `To: ${headerOf(subscribe, 'From')}`,
      `Call-ID: ${headerOf(subscribe, 'Call-ID')}`,
      `CSeq: ${cseq} NOTIFY`,
      `Contact: <sip:dfks@127.0.0.1:${server.port}>`,
      'Event: as-feature-event',
      `Subscription-State: ${state ?? 'active;expires=600'}`,
      `X-Fork: ${tag}`,
    ],
  });
  return Number(answer.slice(8, 11));
}

async function openPhone(): Promise<FeaturePhone> {
  return closeAfterTest(await FeaturePhone.open({ sbc: sbc.access }));
}

beforeAll(async () => {
  server = await LightSip.open('127.0.0.1', serve);
  const features = 'feature-keys: { enabled: true, mode: pass, domains: { pbx.example: [] } }';
  sbc = await startLoopbackSbc({
    carrier: server,
    edit: (yaml) => yaml.replace('feature-keys: { enabled: false }', features),
  });
});

afterAll(async () => {
  await sbc.close();
  server.close();
});

beforeEach(() => {
  plan = [];
  asked = [];
  whileWaiting = () => {};
});

describe('a refresh that the server answers', () => {
  test.each([404, 410, 480, 481, 489, 501, 604])(
    '%i ends both dialogs: the next one gets 481, and so does a NOTIFY',
    async (status) => {
      const phone = await openPhone();
      plan = [{ status: 200, head: ['Expires: 600'] }, { status }];
      await phone.subscribe();
      const answer = await phone.refresh();
      const next = await phone.refresh();
      const [subscribe = ''] = asked;
      const told = await notify(subscribe, { tag: 'first', cseq: 1 });
      expect([answer.status, next.status, told]).toEqual([status, 481, 481]);
      expect(asked).toHaveLength(2);
    },
  );

  test.each([403, 423, 500, 503])('%i leaves the subscription as it is', async (status) => {
    const phone = await openPhone();
    plan = [
      { status: 200, head: ['Expires: 600'] },
      { status },
      { status: 200, head: ['Expires: 600'] },
    ];
    await phone.subscribe();
    const answer = await phone.refresh();
    const [subscribe = ''] = asked;
    const told = await notify(subscribe, { tag: 'first', cseq: 1 });
    const next = await phone.refresh();
    expect([answer.status, told, next.status]).toEqual([status, 200, 200]);
    expect(asked.map((each) => headerOf(each, 'Call-ID'))).toEqual(
      asked.map(() => headerOf(subscribe, 'Call-ID')),
    );
    plan = [{ status: 481 }];
    await phone.refresh();
  });
});

describe('a NOTIFY that comes before the answer', () => {
  test('of another fork than the one that answers is refused from the start', async () => {
    const phone = await openPhone();
    let early: Promise<number[]> | undefined;
    whileWaiting = (subscribe) => {
      early = Promise.all([
        notify(subscribe, { tag: 'second', cseq: 20, state: 'terminated;reason=timeout' }),
        notify(subscribe, { tag: 'first', cseq: 10 }),
      ]);
    };
    plan = [undefined, { status: 200, head: ['Expires: 600'] }];
    await phone.subscribe();
    const answers = await early;
    const [subscribe = ''] = asked;
    const later = await Promise.all([
      notify(subscribe, { tag: 'second', cseq: 21 }),
      notify(subscribe, { tag: 'first', cseq: 11 }),
    ]);
    plan = [{ status: 200, head: ['Expires: 600'] }];
    const refreshed = await phone.refresh();
    const [, inside = ''] = asked;

    expect([answers, later]).toEqual([
      [481, 200],
      [481, 200],
    ]);
    expect(phone.notifies.map(({ state }) => state)).toEqual(['active', 'active']);
    expect(refreshed.status).toBe(200);
    expect(headerOf(inside, 'Call-ID')).toBe(headerOf(subscribe, 'Call-ID'));
    plan = [{ status: 481 }];
    await phone.refresh();
  });

  test('gets 481 when the SUBSCRIBE is refused', async () => {
    const phone = await openPhone();
    let early: Promise<number> | undefined;
    whileWaiting = (subscribe) => {
      early = notify(subscribe, { tag: 'first', cseq: 1 });
    };
    plan = [undefined, { status: 403 }];
    const answer = await phone.subscribe();
    expect([answer.status, await early, phone.notifies]).toEqual([403, 481, []]);
  });
});

describe('an answer', () => {
  test('grants no more time than the phone asked for', async () => {
    const phone = await openPhone();
    plan = ['Expires: 5000', 'Expires: 60', 'Expires: 5000'].map((expires) => ({
      status: 200,
      head: [expires],
    }));
    const granted = [
      await phone.subscribe({ expires: 100 }),
      await phone.refresh({ expires: 100 }),
      await phone.refresh({ expires: 200 }),
    ];
    expect(granted.map(({ expires }) => expires)).toEqual(['100', '60', '200']);
    plan = [{ status: 481 }];
    await phone.refresh();
  });

  test('brings every challenge of the server', async () => {
    const challenges = ['SHA-512-256', 'SHA-256', 'MD5'].map(
      (algorithm) => `Digest realm="far", nonce="1", algorithm=${algorithm}`,
    );
    const phone = await openPhone();
    plan = [{ status: 401, head: challenges.map((value) => `WWW-Authenticate: ${value}`) }];
    const answer = await phone.subscribe();
    expect(headerValues(answer.message, 'WWW-Authenticate')).toEqual(challenges);
  });
});
