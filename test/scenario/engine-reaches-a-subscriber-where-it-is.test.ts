/**
 *   subscriber                        engine                 application
 *     | SUBSCRIBE, over one connection   |                        |
 *     |--------------------------------->|----------------------->|
 *     |   200, NOTIFY on the same one    |                        |
 *     |<---------------------------------|<-----------------------|
 *     | SUBSCRIBE, over another one      |                        |
 *     |=================================>|----------------------->|
 *     |   200, NOTIFY on the other one   |                        |
 *     |<=================================|<-----------------------|
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { App, AppMessage } from '../support/engine-app.ts';
import { EngineBench } from '../support/engine-app.ts';
import { SDP, token } from '../support/engine-peer.ts';
import { sendInDialog } from '../support/engine-stage.ts';
import { openWay, type SipWay } from '../support/sip-way.ts';
import { headerValue, statusOf, tagIn, withHeader } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { tlsAuthority, tlsOwner } from '../support/tls-files.ts';

type Protocol = 'udp' | 'tcp' | 'tls';

/** Addresses that no packet of these tests can reach. */
const ELSEWHERE = '10.9.8.7:5060';

let bench: EngineBench;
let app: App;
let ways: SipWay[];
/** What the application answers to the next SUBSCRIBE. */
let status: number;

beforeEach(async () => {
  ways = [];
  status = 200;
  bench = await EngineBench.start({
    timers: { t1Ms: 40, t2Ms: 160, t4Ms: 200 },
    listen: (['udp', 'tcp', 'tls', 'tcp', 'udp'] as const).map((protocol) => {
      return { protocol, address: '127.0.0.1', port: 0 };
    }),
    tls: { ...tlsOwner('sbc'), ca: tlsAuthority() },
  });
  app = await bench.app((srf) => {
    srf.subscribe((_request, response) => response.send(status, { headers: { Expires: '60' } }));
    srf.invite((request, response) => {
      void srf.createUAS(request, response, { localSdp: SDP }).then((dialog) => {
        return dialog.on('modify', (_again, answer) => answer.send(200, { body: SDP }));
      });
    });
  });
});

afterEach(async () => {
  for (const opened of ways) await opened.close();
  await bench.close();
});

/** @param index of the listen point: 3 and 4 are second ones for TCP and UDP. */
async function way(
  protocol: Protocol,
  index = ['udp', 'tcp', 'tls'].indexOf(protocol),
): Promise<SipWay> {
  const port = bench.listenPoints[index]?.port ?? 0;
  const opened = await openWay(protocol, { address: '127.0.0.1', port });
  ways.push(opened);
  return opened;
}

/** A peer that begins a dialog and sends requests in it over any way. */
class Peer {
  readonly fromTag = token();
  readonly callId = `${token()}@peer`;
  toTag = '';
  #cseq = 0;

  get id(): string {
    return `${this.callId};from-tag=${this.fromTag}`;
  }

  /** Gives the final answer. */
  async send(
    over: SipWay,
    method: string,
    options: { readonly contact?: string; readonly via?: string; readonly body?: string } = {},
  ): Promise<SipText> {
    if (method !== 'ACK') this.#cseq += 1;
    const { contact = `sip:me@${ELSEWHERE}`, body = '' } = options;
    const via = options.via ?? `${over.ownAddress};rport`;
    const to = '<sip:app@127.0.0.1>';
    const lines = [
      `${method} sip:app@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/${over.protocol.toUpperCase()} ${via};branch=z9hG4bK${token()}`,
      'Max-Forwards: 70',
      `From: <sip:me@127.0.0.1>;tag=${this.fromTag}`,
      `To: ${this.toTag === '' ? to : `${to};tag=${this.toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#cseq} ${method}`,
      `Contact: <${contact}>`,
      ...(method === 'SUBSCRIBE' ? ['Event: kpml', 'Expires: 60'] : []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    over.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (method === 'ACK') return { startLine: '', headers: [], body: '' };
    const cseq = `${this.#cseq} ${method}`;
    const answer = await over.next(
      `answer to ${cseq}`,
      (each) => (statusOf(each) ?? 0) >= 200 && headerValue(each, 'CSeq') === cseq,
    );
    this.toTag ||= tagIn(headerValue(answer, 'To') ?? '') ?? '';
    return answer;
  }
}

/** The application notifies; resolves with the NOTIFY as it came over `over`, and the answer as it came back. */
async function notify(
  { id }: Peer,
  over: SipWay,
  method = 'NOTIFY',
): Promise<{ request: SipText; answer: AppMessage | undefined }> {
  const headers = { Event: 'kpml', 'Subscription-State': 'active;expires=50' };
  const answered = sendInDialog({ app }, id, method, method === 'NOTIFY' ? headers : {});
  const request = await over.next(method, (each) => each.startLine.startsWith(`${method} `));
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
    request.headers.filter(([key]) => key === name).map(([key, value]) => `${key}: ${value}`),
  );
  over.send(`SIP/2.0 200 OK\r\n${copied.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
  return { request, answer: await answered };
}

describe('a NOTIFY', () => {
  test.each([
    ['tls', `sip:me@${ELSEWHERE};transport=udp`],
    ['tls', `sip:me@${ELSEWHERE}`],
    ['tls', 'sip:me@127.0.0.1:9;transport=tcp'],
    ['tls', `sips:me@${ELSEWHERE}`],
    ['tls', 'sip:me@no-such-phone.invalid'],
    ['tcp', `sip:me@${ELSEWHERE};transport=tcp`],
    ['tcp', 'sip:me@127.0.0.1:9;transport=udp'],
    ['udp', `sip:me@${ELSEWHERE}`],
    ['udp', `sip:me@${ELSEWHERE};transport=udp`],
    ['udp', 'sip:me@phone.invalid'],
  ] as const)('goes back over %s, whatever the Contact %s says', async (protocol, contact) => {
    const [phone, over] = [new Peer(), await way(protocol)];
    await phone.send(over, 'SUBSCRIBE', { contact });
    const { request, answer } = await notify(phone, over);
    expect(request.startLine).toBe(`NOTIFY ${contact} SIP/2.0`);
    expect(headerValue(request, 'Via')).toContain(`SIP/2.0/${protocol.toUpperCase()} `);
    expect(answer?.status).toBe(200);
  });

  test('goes back over a connection to the second listen point of its transport', async () => {
    const [phone, over] = [new Peer(), await way('tcp', 3)];
    await phone.send(over, 'SUBSCRIBE');
    expect((await notify(phone, over)).answer?.status).toBe(200);
  });

  test.each([
    ['with rport', ELSEWHERE, ';rport'],
    ['without', '10.9.8.7', ''],
  ])(
    'to a UDP phone that knows itself by another address goes where it sends from, %s',
    async (_what, host, rport) => {
      const [phone, over] = [new Peer(), await way('udp')];
      const via = rport === '' ? over.ownAddress.replace('127.0.0.1', host) : `${host}${rport}`;
      await phone.send(over, 'SUBSCRIBE', { via });
      expect((await notify(phone, over)).answer?.status).toBe(200);
    },
  );

  test('to a UDP phone behind a NAT leaves from the port that the phone talks to', async () => {
    const [phone, over] = [new Peer(), await way('udp', 4)];
    await phone.send(over, 'SUBSCRIBE');
    const { request } = await notify(phone, over);
    expect(headerValue(request, 'Via')).toContain(`127.0.0.1:${bench.listenPoints[4]?.port};`);
  });

  test('to a UDP phone without NAT goes to its Contact', async () => {
    const [phone, over, other] = [new Peer(), await way('udp'), await way('udp')];
    await phone.send(over, 'SUBSCRIBE', { contact: `sip:me@${other.ownAddress}` });
    expect((await notify(phone, other)).answer?.status).toBe(200);
  });
});

describe('a SUBSCRIBE that comes another way', () => {
  test.each(['tcp', 'tls', 'udp'] as const)(
    'over %s takes the NOTIFYs along, and the old connection is not missed',
    async (protocol) => {
      const [phone, old] = [new Peer(), await way('tcp')];
      await phone.send(old, 'SUBSCRIBE');
      await notify(phone, old);
      const fresh = await way(protocol);
      await phone.send(fresh, 'SUBSCRIBE', { contact: 'sip:moved@10.9.8.6' });
      const { request } = await notify(phone, fresh);
      await old.close();
      expect((await notify(phone, fresh)).answer?.status).toBe(200);
      expect(request.startLine).toBe('NOTIFY sip:moved@10.9.8.6 SIP/2.0');
    },
  );

  test('and is refused takes nothing along', async () => {
    const [phone, over, stranger] = [new Peer(), await way('tcp'), await way('tcp')];
    await phone.send(over, 'SUBSCRIBE');
    status = 401;
    const refused = await phone.send(stranger, 'SUBSCRIBE', { contact: 'sip:moved@10.9.8.6' });
    const { request, answer } = await notify(phone, over);
    expect([statusOf(refused), answer?.status]).toEqual([401, 200]);
    expect(request.startLine).toBe(`NOTIFY sip:me@${ELSEWHERE} SIP/2.0`);
  });
});

test('a re-INVITE over a new connection takes the dialog along', async () => {
  const contact = 'sip:me@127.0.0.1:9;transport=tcp';
  const [caller, old] = [new Peer(), await way('tcp')];
  await caller.send(old, 'INVITE', { contact, body: SDP });
  await caller.send(old, 'ACK', { contact });
  await notify(caller, old, 'INFO');
  const fresh = await way('tcp');
  await caller.send(fresh, 'INVITE', { contact, body: SDP });
  await caller.send(fresh, 'ACK', { contact });
  await old.close();
  expect((await notify(caller, fresh, 'INFO')).answer?.status).toBe(200);
});

describe('a first SUBSCRIBE is malformed', () => {
  test.each([
    ['without a tag in From', (text: SipText) => withHeader(text, 'From', '<sip:me@127.0.0.1>')],
    [
      'with a telephone number as Contact',
      (text: SipText) => withHeader(text, 'Contact', '<tel:2002>'),
    ],
    ['with a web page as Contact', (text: SipText) => withHeader(text, 'm', '<http://x/>')],
  ])('%s', async (_what, change) => {
    const over = await way('udp');
    const headers = [
      ['Via', `SIP/2.0/UDP ${over.ownAddress};branch=z9hG4bK${token()}`],
      ['Max-Forwards', '70'],
      ['From', `<sip:me@127.0.0.1>;tag=${token()}`],
      ['To', '<sip:app@127.0.0.1>'],
      ['Call-ID', token()],
      ['CSeq', '1 SUBSCRIBE'],
      ['Event', 'kpml'],
    ] as const;
    const contact = ['Contact', `<sip:me@${over.ownAddress}>`] as const;
    const startLine = 'SUBSCRIBE sip:app@127.0.0.1 SIP/2.0';
    const changed = change({ startLine, headers: [...headers], body: '' });
    const isNamed = changed.headers.some(([name]) => ['Contact', 'm'].includes(name));
    const lines = [...changed.headers, ...(isNamed ? [] : [contact])].map((each) =>
      each.join(': '),
    );
    over.send(`${startLine}\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
    const answer = await over.next('answer', (each) => statusOf(each) !== undefined);
    expect(statusOf(answer)).toBe(400);
  });
});
