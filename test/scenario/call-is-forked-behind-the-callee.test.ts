/**
 * Rows B21 and B22: a proxy behind the callee forks the INVITE, and each branch has an early dialog of its own.
 *
 *   alice             SBC                         branch one    branch two
 *     | INVITE         | INVITE                        |             |
 *     |--------------->|------------------------------>|------------>|
 *     |            180 | 180, SUBSCRIBE kpml           |             |
 *     |<---------------|<------------------------------|             |
 *     |            180 | 180, SUBSCRIBE kpml                         |
 *     |<---------------|<--------------------------------------------|   both: 200, NOTIFY pending
 *     |            200 | 200                                         |
 *     |<---------------|<--------------------------------------------|   NOTIFY active to this one alone
 *     |                | 200                           |             |
 *     |                |<------------------------------|                 ACK and BYE
 */
import { expect, test } from 'vitest';
import { openCallStage } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { EnginePeer, token } from '../support/engine-peer.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';
import { getHeader } from '../../src/wire/sip-message.ts';
import type { SipMessage, SipRequest } from '../../src/wire/sip-message.ts';

const DOCUMENT =
  '<kpml-request version="1.0"><pattern persist="persist"><regex>[x*#ABCD]</regex></pattern></kpml-request>';
const SDP = buildSdp({ address: '127.0.0.1', rtpPort: 40_030 });

checkLeaksAfterEach();

/** A callee whose answers come from branches, in place of bob. */
async function openForked(): Promise<{ stage: CallStage; proxy: EnginePeer }> {
  const proxies: EnginePeer[] = [];
  closeAfterTest({
    close: async () => {
      for (const proxy of proxies) proxy.close();
    },
  });
  const stage = await openCallStage({
    coreHost: '127.0.0.1',
    access: { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' },
    core: { 'kpml-interworking': 'enabled' },
    hidesTopology: false,
    edit: async (yaml) => {
      const core = yaml.split('\n').filter((line) => line.includes('sip-ports:'))[1] ?? '';
      const proxy = await EnginePeer.open(Number(/udp\/127\.0\.0\.1:(\d+)/.exec(core)?.[1]));
      proxies.push(proxy);
      return yaml.replace(/127\.0\.0\.3:\d+/, proxy.address);
    },
  });
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error('the configuration was not edited');
  return { stage, proxy };
}

/** A branch in the dialog that the INVITE began. */
class Branch {
  readonly tag: string;
  readonly #proxy: EnginePeer;
  readonly #invite: SipRequest;
  #cseq = 0;

  constructor(tag: string, proxy: EnginePeer, invite: SipRequest) {
    this.tag = tag;
    this.#proxy = proxy;
    this.#invite = invite;
  }

  answer(status: string): void {
    const isAnswer = status.startsWith('200');
    this.#proxy.answerAs(this.tag, this.#invite, {
      status,
      extra: [`Contact: <sip:${this.tag}@${this.#proxy.address}>`, 'Content-Type: application/sdp'],
      ...(isAnswer ? { body: SDP } : {}),
    });
  }

  /** Sends a request and gives the status of its answer. */
  async request(method: string, extra: readonly string[] = [], body = ''): Promise<number> {
    this.#cseq += 1;
    const { address } = this.#proxy;
    this.#proxy.send(
      [
        `${method} sip:sbc@127.0.0.1:${this.#proxy.enginePort} SIP/2.0`,
        `Via: SIP/2.0/UDP ${address};branch=z9hG4bK${token()}`,
        'Max-Forwards: 70',
        `From: ${getHeader(this.#invite, 'To') ?? ''};tag=${this.tag}`,
        `To: ${getHeader(this.#invite, 'From') ?? ''}`,
        `Call-ID: ${getHeader(this.#invite, 'Call-ID') ?? ''}`,
        `CSeq: ${this.#cseq} ${method}`,
        `Contact: <sip:${this.tag}@${address}>`,
        ...extra,
      ],
      body,
    );
    return (await this.#proxy.finalResponse(method)).status;
  }

  subscribe(): Promise<number> {
    const type = 'Content-Type: application/kpml-request+xml';
    return this.request('SUBSCRIBE', ['Event: kpml', 'Expires: 600', type], DOCUMENT);
  }

  /** The next request to this branch, answered 200. */
  async receive(method: string, state = ''): Promise<SipRequest> {
    const isIt = (each: SipMessage): each is SipRequest =>
      each.type === 'request' &&
      each.method === method &&
      (getHeader(each, 'To') ?? '').endsWith(`;tag=${this.tag}`) &&
      (getHeader(each, 'Subscription-State') ?? '').startsWith(state);
    const request = await this.#proxy.next(isIt, PATIENCE_MS);
    if (method !== 'ACK') this.#proxy.answer(request, '200 OK');
    return request;
  }
}

test('both branches are served while they ring; the one that answers keeps its subscription', async () => {
  const { stage, proxy } = await openForked();
  const { alice, running } = stage;
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: buildSdp({ address: alice.sip.address, rtpPort: 40_000, eventPayloadType: 101 }),
  });
  const invite = await proxy.request('INVITE');
  const one = new Branch('one', proxy, invite);
  const two = new Branch('two', proxy, invite);
  for (const branch of [one, two]) {
    branch.answer('180 Ringing');
    await outgoing.provisional(180);
    expect(await branch.subscribe()).toBe(200);
    await branch.receive('NOTIFY', 'pending');
  }
  expect(running.sbc.stack.dialogCount).toBe(3);

  const info = outgoing.dialog.request('INFO');
  await two.receive('INFO');
  expect(statusOf(await info)).toBe(200);

  two.answer('200 OK');
  await two.receive('ACK');
  await outgoing.answered();
  await two.receive('NOTIFY', 'active');
  expect(running.sbc.stack.dialogCount).toBe(2);
  expect(await one.request('INFO')).toBe(481);
  one.answer('183 Session Progress');
  one.answer('200 OK');
  await one.receive('ACK');
  await one.receive('BYE');

  const over = outgoing.dialog.bye();
  await two.receive('NOTIFY', 'terminated');
  await two.receive('BYE');
  await over;
  // Nothing but what may be a copy of its first NOTIFY.
  const states = proxy.heard
    .filter((each) => each.type === 'request' && each.method === 'NOTIFY')
    .filter((each) => (getHeader(each, 'To') ?? '').endsWith(';tag=one'))
    .map((each) => getHeader(each, 'Subscription-State') ?? '');
  expect(states.filter((state) => !state.startsWith('pending'))).toEqual([]);
});

test('the branch that answers decides, though another one had answered reliably before', async () => {
  const { stage, proxy } = await openForked();
  const { alice, running } = stage;
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: buildSdp({ address: alice.sip.address, rtpPort: 40_000, eventPayloadType: 101 }),
  });
  const invite = await proxy.request('INVITE');
  const one = new Branch('one', proxy, invite);
  const two = new Branch('two', proxy, invite);
  const ways = (): unknown =>
    running.sbc.calls.list().map(({ session }) => session?.dtmf.plan?.callerToCallee.translator);

  const withEvents = buildSdp({ address: '127.0.0.1', rtpPort: 40_040, eventPayloadType: 101 });
  proxy.answerAs('one', invite, {
    status: '183 Session Progress',
    extra: [
      `Contact: <sip:one@${proxy.address}>`,
      'Content-Type: application/sdp',
      'Require: 100rel',
      'RSeq: 1',
    ],
    body: withEvents,
  });
  await one.receive('PRACK');
  await outgoing.provisional(183);
  expect(ways()).toEqual(['rtp-relay']);
  two.answer('180 Ringing');
  two.answer('200 OK');
  await two.receive('ACK');
  await outgoing.answered();
  expect(ways()).toEqual(['2833-to-kpml']);

  const over = outgoing.dialog.bye();
  await two.receive('BYE');
  await over;
});

test('a branch that answered reliably, too, need not repeat its answer in the 200', async () => {
  const { stage, proxy } = await openForked();
  const { alice, running } = stage;
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: buildSdp({ address: alice.sip.address, rtpPort: 40_000, eventPayloadType: 101 }),
  });
  const invite = await proxy.request('INVITE');
  const progress = (tag: string, body: string): void => {
    proxy.answerAs(tag, invite, {
      status: '183 Session Progress',
      extra: [
        `Contact: <sip:${tag}@${proxy.address}>`,
        'Content-Type: application/sdp',
        'Require: 100rel',
        'RSeq: 1',
      ],
      body,
    });
  };
  progress('one', buildSdp({ address: '127.0.0.1', rtpPort: 40_040, eventPayloadType: 101 }));
  await new Branch('one', proxy, invite).receive('PRACK');
  const two = new Branch('two', proxy, invite);
  progress('two', SDP);
  await two.receive('PRACK');
  proxy.answerAs('two', invite, {
    status: '200 OK',
    extra: [`Contact: <sip:two@${proxy.address}>`],
  });
  await two.receive('ACK');
  await outgoing.answered();
  const ways = running.sbc.calls
    .list()
    .map(({ session }) => session?.dtmf.plan?.callerToCallee.translator);
  const over = outgoing.dialog.bye();
  await two.receive('BYE');
  await over;

  expect(outgoing.final?.body).toContain('m=audio');
  // That of branch two, which takes no telephone-event.
  expect(ways).not.toEqual(['rtp-relay']);
});

test('a branch that answers after the call has failed is acknowledged and hung up', async () => {
  const { stage, proxy } = await openForked();
  const { alice, running } = stage;
  const body = buildSdp({ address: alice.sip.address, rtpPort: 40_000 });
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  const invite = await proxy.request('INVITE');
  new Branch('one', proxy, invite).answer('486 Busy Here');
  expect(statusOf(await outgoing.finished())).toBe(486);

  const two = new Branch('two', proxy, invite);
  two.answer('200 OK');
  await two.receive('ACK');
  await two.receive('BYE');
});
