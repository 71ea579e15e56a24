import { describe, expect, test } from 'vitest';
import { DigestClient } from '../../../src/sip/digest-client.ts';
import { digestHash } from '../../../src/sip/digest-hash.ts';
import { sendWithDigest } from '../../../src/sip/digest-sender.ts';
import { OutgoingSubscription } from '../../../src/sip/outgoing-subscription.ts';
import type {
  PeerSource,
  ReceivedResponse,
  SendOptions,
  SipHeaders,
} from '../../../src/sip/sip-connection.ts';
import { SubscriptionTable } from '../../../src/sip/subscription-table.ts';
import { digestKey, isDigestRight, parseAnswer } from '../../../src/wire/digest.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

const AGENT: PeerSource = { address: '192.0.2.1', port: 5060, protocol: 'udp' };
const STRANGER: PeerSource = { ...AGENT, address: '192.0.2.66' };
const ACCOUNT = { username: 'tone', password: 'pass' };
const NO_BODY = new Uint8Array();

const isAgent = ({ address }: PeerSource): boolean => address === AGENT.address;

function newClient(realm?: string): DigestClient {
  return new DigestClient({ ...ACCOUNT, realm }, isAgent);
}

/** A request on its way, with what its sender hears of it. */
function send(
  options: Partial<SendOptions> = {},
  peer: { client?: DigestClient; dialogTarget?: string } = {},
) {
  const connection = new FakeSipConnection();
  const heard: (number | string)[] = [];
  const challenges: number[] = [];
  sendWithDigest(
    connection,
    { method: 'MESSAGE', uri: 'sip:us@sbc', ...options },
    {
      onResponse: ({ message }: ReceivedResponse) => heard.push(message.status),
      onFailed: (reason) => heard.push(reason),
      onChallenge: ({ message }) => challenges.push(message.status),
    },
    { client: newClient(), ...peer },
  );
  return { connection, heard, challenges };
}

function challenge(nonce: string, rest = ''): SipHeaders {
  return { 'WWW-Authenticate': `Digest realm="r", nonce="${nonce}", qop="auth"${rest}` };
}

/** Answers the last request as `source`. */
function answer(
  connection: FakeSipConnection,
  status: number,
  headers: SipHeaders = {},
  source: PeerSource | undefined = AGENT,
): void {
  connection.last.goOut();
  connection.last.answer(status, headers, '', source);
}

describe('a challenge', () => {
  test('of the agent is answered, and only the last word is told', () => {
    const { connection, heard, challenges } = send({ headers: { CSeq: '7 MESSAGE' } });

    answer(connection, 401, challenge('n1'));
    const { headers = {} } = connection.last.options;
    answer(connection, 200);

    const given = parseAnswer(headers['Authorization'] ?? '');
    if (given === undefined) throw new Error('no credentials');
    const key = digestKey(digestHash, 'MD5', { ...ACCOUNT, realm: 'r' });
    expect(isDigestRight(digestHash, key, given, { method: 'MESSAGE', body: NO_BODY })).toBe(true);
    expect([headers['Call-ID'], headers['CSeq']]).toEqual(['leg-b', '8 MESSAGE']);
    expect([heard, challenges]).toEqual([[200], [401]]);
  });

  test.each<[string, SipHeaders, PeerSource | undefined]>([
    ['a stranger', challenge('n1'), STRANGER],
    ['nobody, made up by the engine', challenge('n1'), undefined],
    ['the agent, unreadable', { 'WWW-Authenticate': 'Digest realm="r' }, AGENT],
    [
      'the agent, in the wrong header',
      { 'Proxy-Authenticate': 'Digest realm="r", nonce="n"' },
      AGENT,
    ],
  ])('of %s is the answer', (_who, headers, source) => {
    const { connection, heard } = send({ headers: { CSeq: '7 MESSAGE' } });

    connection.last.goOut();
    connection.last.answer(401, headers, '', source);

    expect(connection.sent).toHaveLength(1);
    expect(heard).toEqual([401]);
  });

  test('for another realm than the configured one is the answer', () => {
    const client = newClient('mine');
    const { connection, heard } = send({ headers: { CSeq: '7 MESSAGE' } }, { client });

    answer(connection, 401, challenge('n1'));

    expect(heard).toEqual([401]);
  });

  /** Nonces of the challenges in turn, and how many requests they lead to. */
  const rows: [string, [string, string][], number][] = [
    [
      'repeated with a new nonce: the password is wrong',
      [
        ['n1', ''],
        ['n2', ''],
      ],
      2,
    ],
    [
      'stale with a new nonce: once more',
      [
        ['n1', ''],
        ['n2', ', stale=true'],
        ['n3', ''],
      ],
      3,
    ],
    [
      'stale with the same nonce: no use',
      [
        ['n1', ''],
        ['n1', ', stale=true'],
      ],
      2,
    ],
    [
      'stale for ever: no more than once',
      [
        ['n1', ''],
        ['n2', ', stale=true'],
        ['n3', ', stale=true'],
      ],
      3,
    ],
  ];
  test.each(rows)('%s', (_what, nonces, count) => {
    const { connection, heard } = send({ headers: { CSeq: '7 MESSAGE' } });

    for (const [nonce, rest] of nonces) answer(connection, 401, challenge(nonce, rest));

    expect(connection.sent).toHaveLength(count);
    expect(heard).toEqual([401]);
  });

  test('of a proxy and then of the server: both are answered', () => {
    const { connection } = send({ headers: { CSeq: '7 MESSAGE' } });

    answer(connection, 407, { 'Proxy-Authenticate': 'Digest realm="p", nonce="n1"' });
    answer(connection, 401, challenge('n2'));

    const { headers = {} } = connection.last.options;
    expect(parseAnswer(headers['Proxy-Authorization'] ?? '')?.realm).toBe('p');
    expect(parseAnswer(headers['Authorization'] ?? '')?.realm).toBe('r');
  });

  test('of a server behind a name is answered to that server', () => {
    const nextHop = 'sip:carrier.example;transport=udp';
    const { connection } = send({ nextHop, headers: { CSeq: '7 MESSAGE' } });

    answer(connection, 401, challenge('n1'));

    expect(connection.last.options.nextHop).toBe('sip:192.0.2.1:5060;transport=udp');
  });
});

/** One that holds the nonce of a challenge, used once. */
function challenged(): DigestClient {
  const client = newClient();
  const { connection } = send({ headers: { CSeq: '1 MESSAGE' } }, { client });
  answer(connection, 401, challenge('n1'));
  return client;
}

describe('a nonce that is known is used unasked', () => {
  const rows: [string, Partial<SendOptions>, string | undefined, boolean][] = [
    ['outside dialogs', {}, undefined, true],
    ['in a dialog with the agent', { dialogId: 'd' }, 'sip:x@192.0.2.1:5060', true],
    ['not in a dialog that leads elsewhere', { dialogId: 'd' }, 'sip:x@192.0.2.66', false],
    ['not towards a name', { dialogId: 'd' }, 'sip:x@carrier.example', false],
    ['not where the target is not known', { dialogId: 'd' }, undefined, false],
  ];
  test.each(rows)('%s', (_where, options, dialogTarget, isUsed) => {
    const client = challenged();
    const target = dialogTarget === undefined ? {} : { dialogTarget };

    const { connection } = send(options, { client, ...target });

    const value = connection.last.options.headers?.['Authorization'] ?? '';
    expect(parseAnswer(value)?.protection?.nonceCount).toBe(isUsed ? 2 : undefined);
  });
});

test('a request that fails is told so', () => {
  const { connection, heard } = send();

  connection.last.fail('connection-lost');

  expect(heard).toEqual(['connection-lost']);
});

test('a SUBSCRIBE that opens a dialog is answered in the same one', async () => {
  const connection = new FakeSipConnection();
  const traced: string[] = [];
  const subscription = new OutgoingSubscription({
    connection,
    table: new SubscriptionTable(),
    target: () => ({ uri: 'sip:us@sbc' }),
    handler: {
      onRequest: () => undefined,
      onEnd: () => traced.push('end'),
      onTrace: (direction, text) => traced.push(`${direction} ${text.split(' ', 2).join(' ')}`),
      digest: newClient(),
    },
  });
  const answered = subscription.request('SUBSCRIBE', {
    headers: { Event: 'kpml', CSeq: '1 SUBSCRIBE' },
  });

  answer(connection, 401, challenge('n1'));
  answer(connection, 200, { To: '<sip:us@sbc>;tag=t' });

  expect((await answered).status).toBe(200);
  expect(subscription.isUnopened).toBe(false);
  expect(connection.last.options.headers).toMatchObject({
    'Call-ID': 'leg-b',
    CSeq: '2 SUBSCRIBE',
  });
  expect(traced).toEqual([
    'out SUBSCRIBE sip:us@sbc',
    'in SIP/2.0 401',
    'out SUBSCRIBE sip:us@sbc',
    'in SIP/2.0 200',
  ]);
});
