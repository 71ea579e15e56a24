/**
 *   alice              SBC                       bob (agent with `auth`)
 *     | INVITE          | INVITE                  |
 *     |---------------->|------------------------>|
 *     |                 |            401 + nonce  |
 *     |                 |<------------------------|
 *     |                 | INVITE + Authorization  |     same Call-ID and From tag, CSeq + 1, same SDP
 *     |                 |------------------------>|
 *     |             200 |                     200 |
 *     |<----------------|<------------------------|
 */
import { afterEach, describe, expect, test } from 'vitest';
import {
  aliceCallsBob,
  bobCallsAlice,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
  shareSbcInFile,
  type CallStage,
} from '../support/call-stage.ts';
import { DigestServer, type DigestServerOptions } from '../support/digest-server.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { Reply, SipDialog } from '../support/sip-dialog.ts';
import {
  branchOf,
  cseqOf,
  type Header,
  headerValue,
  methodOf,
  requiredHeader,
  statusOf,
  tagIn,
  type SipText,
  withHeader,
} from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const RELIABLE: Header[] = [['Require', '100rel']];
const AUTH = `{ username: tone, password: 's3cr"et', realm: carrier.example }`;

shareSbcInFile({ carrierLeg: { auth: AUTH } });
checkLeaksAfterEach();

let server = new DigestServer();
afterEach(() => {
  server = new DigestServer();
});

/** Refuses INVITEs until one has the right credentials, and takes that one. */
async function answerAuthorized({ bob }: CallStage) {
  for (;;) {
    const incoming = await bob.sip.nextCall();
    const challenge = server.challengeFor(incoming.invite);
    if (challenge === undefined) return bob.accept(incoming);
    incoming.reject(challenge.status, challenge);
  }
}

/** Refuses the next `count` INVITEs, whatever they carry. */
async function refuse({ bob }: CallStage, count: number): Promise<void> {
  for (let refused = 0; refused < count; refused += 1) {
    const incoming = await bob.sip.nextCall();
    const challenge = server.challengeFor(incoming.invite);
    if (challenge === undefined) throw new Error('right credentials');
    incoming.reject(challenge.status, challenge);
  }
}

async function callWithCredentials(stage: CallStage) {
  const [alice, bob] = await Promise.all([
    stage.alice.call({ to: '5551000', via: stage.running.access }),
    answerAuthorized(stage),
  ]);
  return { alice, bob };
}

/** Requests of `method` that bob got, in order, repeats left out. */
function transactionsToBob({ bob }: CallStage, method: string): SipText[] {
  const requests = bob.sip.log
    .filter(({ direction, message }) => direction === 'received' && methodOf(message) === method)
    .map(({ message }) => message)
    .filter((message) => statusOf(message) === undefined);
  return [...new Map(requests.map((each) => [branchOf(each), each])).values()];
}

/** From now on `dialog` asks for credentials in requests of `method`. */
function guard(dialog: SipDialog, method: string, otherwise: Reply): void {
  dialog.handle(method, (request) => server.challengeFor(request) ?? otherwise);
}

describe('an INVITE', () => {
  test('goes out again as the next one of the same series', async () => {
    const stage = await openCallStage();

    await finish(await callWithCredentials(stage));

    const [first, second, ...more] = transactionsToBob(stage, 'INVITE');
    if (first === undefined || second === undefined) throw new Error('not asked and answered');
    expect(more).toEqual([]);
    expect(requiredHeader(second, 'Call-ID')).toBe(requiredHeader(first, 'Call-ID'));
    expect(tagIn(requiredHeader(second, 'From'))).toBe(tagIn(requiredHeader(first, 'From')));
    expect(tagIn(requiredHeader(second, 'To'))).toBeUndefined();
    expect(cseqOf(second)).toBe(cseqOf(first) + 1);
    expect(branchOf(second)).not.toBe(branchOf(first));
    expect(second.body).toBe(first.body);
    const [record] = await callRecords(stage.running, 1);
    expect(record?.attempts).toHaveLength(1);
  });

  test('is answered to a challenge of any kind', async () => {
    const stage = await openCallStage();
    const kinds: DigestServerOptions[] = [
      { status: 407 },
      { qop: 'none' },
      { qop: 'auth-int' },
      { algorithm: 'SHA-256' },
    ];

    for (const kind of kinds) {
      server = new DigestServer(kind);
      await finish(await callWithCredentials(stage));
    }

    // Each server knows nothing of the nonce that the one before it gave out.
    expect(transactionsToBob(stage, 'INVITE')).toHaveLength(2 * kinds.length);
  });

  test('of the next call carries credentials at once, counted up', async () => {
    const stage = await openCallStage();

    await finish(await callWithCredentials(stage));
    await finish(await callWithCredentials(stage));

    const invites = transactionsToBob(stage, 'INVITE');
    const [, asked = '', unasked = ''] = invites.map(credentialsIn);
    expect(invites).toHaveLength(3);
    expect(nonceIn(unasked)).toBe(nonceIn(asked));
    expect(asked).toContain('nc=00000001');
    expect(unasked).not.toContain('nc=00000001');
  });

  test('with a nonce that is too old goes out with the new one', async () => {
    const stage = await openCallStage();
    await finish(await callWithCredentials(stage));
    server.expireNonces();

    await finish(await callWithCredentials(stage));

    expect(transactionsToBob(stage, 'INVITE')).toHaveLength(4);
  });

  test('with a wrong password is refused after one try', async () => {
    const stage = await openCallStage({
      carrierLeg: { auth: '{ username: tone, password: wrong }' },
    });
    const refusing = refuse(stage, 2);

    const call = stage.alice.call({ to: '5551000', via: stage.running.access });

    await expect(call).rejects.toThrow('403');
    await refusing;
    expect(transactionsToBob(stage, 'INVITE')).toHaveLength(2);
    const [record] = await callRecords(stage.running, 1);
    expect(record?.attempts.map(({ code }) => code)).toEqual([401]);
  });

  test('that is given up between challenge and answer is cancelled', async () => {
    // An SBC of its own: an INVITE that leaves in the same moment is repeated until the end, to nobody.
    const stage = await openCallStage({ carrierLeg: { auth: AUTH } });
    const call = stage.alice.sip.invite({
      to: '5551000',
      via: stage.running.access,
      body: plainOffer(stage.alice.sip),
    });
    await waitFor('100', () => call.provisionals.length > 0);
    const first = await stage.bob.sip.nextCall();
    const challenge = server.challengeFor(first.invite);
    if (challenge === undefined) throw new Error('no challenge');

    first.reject(challenge.status, challenge);
    await call.cancel();

    expect(statusOf(await call.finished())).toBe(487);
  });
});

describe('nobody else gets credentials', () => {
  test.each([
    ['an agent without auth', {}],
    ['a realm that is not the configured one', { auth: AUTH.replace('carrier', 'other') }],
  ])('%s', async (_who, carrierLeg: LegParameters) => {
    const stage = await openCallStage({ carrierLeg });
    const refusing = refuse(stage, 1);

    const call = stage.alice.call({ to: '5551000', via: stage.running.access });

    await expect(call).rejects.toThrow('403');
    await refusing;
    const credentials = transactionsToBob(stage, 'INVITE').map((invite) =>
      headerValue(invite, 'Authorization'),
    );
    expect(credentials).toEqual([undefined]);
  });

  test('the address that an agent names as its Contact, when it is somebody else', async () => {
    const stranger = closeAfterTest(
      await Rfc2833Trunk.open({ user: 'mallory', address: '127.0.0.3' }),
    );
    stranger.sip.onStray = (request) => server.challengeFor(request) ?? { status: 200 };
    const moved = { rewriteSent: contactInUpdate(stranger.sip.contact) };
    const stage = await openCallStage({ bob: moved });
    const { alice, bob } = await callWithCredentials(stage);
    alice.dialog.handle('UPDATE', () => ({ status: 200 }));

    await bob.dialog.request('UPDATE');
    await alice.hangUp();

    await waitFor('end', () => stage.running.sbc.calls.size === 0);
    expect(stranger.sip.strays.map((each) => headerValue(each, 'Authorization'))).toEqual([
      undefined,
    ]);
  });
});

describe('inside a dialog', () => {
  test('BYE of the SBC is answered', async () => {
    const stage = await openCallStage();
    const { alice, bob } = await aliceCallsBob(stage);
    guard(bob.dialog, 'BYE', { status: 200 });

    await alice.hangUp();

    await waitFor('BYE with credentials', () => transactionsToBob(stage, 'BYE').length === 2);
    const [first, second] = transactionsToBob(stage, 'BYE');
    if (first === undefined || second === undefined) throw new Error('not asked and answered');
    expect(credentialsIn(second)).toContain('nc=00000001');
    expect(nonceIn(credentialsIn(second))).not.toBe(nonceIn(credentialsIn(first)));
  });

  test('PRACK is answered with the RAck of the one before, the next one unasked', async () => {
    const stage = await openCallStage();
    const calling = stage.alice.call({ to: '5551000', via: stage.running.access });
    await refuse(stage, 1);
    const incoming = await stage.bob.sip.nextCall();
    const wasAuthorized = server.challengeFor(incoming.invite) === undefined;
    guard(incoming.dialog, 'PRACK', { status: 200 });
    server.expireNonces();
    const pracks = () => transactionsToBob(stage, 'PRACK');

    incoming.ring({ headers: [...RELIABLE, ['RSeq', '5']] });
    await waitFor('second PRACK', () => pracks().length === 2);
    incoming.ring({ headers: [...RELIABLE, ['RSeq', '6']] });
    await waitFor('third PRACK', () => pracks().length === 3);
    const bob = await stage.bob.accept(incoming);
    await finish({ alice: await calling, bob });

    const cseq = cseqOf(incoming.invite);
    expect(wasAuthorized).toBe(true);
    expect(pracks().map((each) => headerValue(each, 'RAck'))).toEqual(
      ['5', '5', '6'].map((rseq) => `${rseq} ${cseq} INVITE`),
    );
    const [first, second, third] = pracks().map((each) => nonceIn(credentialsIn(each)));
    expect([first === second, second === third]).toEqual([false, true]);
    const [one = 0, two = 0] = pracks().map(cseqOf);
    expect(two).toBe(one + 1);
  });

  test.each(['INVITE', 'UPDATE', 'INFO'])(
    '%s towards an agent that has called us is answered, the next one unasked',
    async (method) => {
      const stage = await openCallStage();
      const { alice, bob } = await bobCallsAlice(stage);
      const taken = method === 'INFO' ? {} : { body: plainOffer(stage.bob.sip) };
      guard(bob.dialog, method, { status: 200, ...taken });
      const request = () => {
        const isOffer = method !== 'INFO';
        const body = isOffer ? plainOffer(stage.alice.sip) : 'x';
        const contentType = isOffer ? 'application/sdp' : 'text/plain';
        return alice.dialog.request(method, { body, contentType });
      };

      const answers = [await request(), await request()];

      expect(answers.map((answer) => statusOf(answer))).toEqual([200, 200]);
      const [first = '', second = '', ...more] = transactionsToBob(stage, method).map(
        credentialsIn,
      );
      expect(nonceIn(second)).not.toBe(nonceIn(first));
      expect(more.map((each) => nonceIn(each))).toEqual([nonceIn(second)]);
      await finish({ alice, bob });
    },
  );
});

test('the ladder shows the exchange without the credentials', async () => {
  const stage = await openCallStage();
  const { alice, bob } = await callWithCredentials(stage);
  const [call] = stage.running.sbc.calls.list();
  const rows = stage.running.sbc.ladder.ladder(call?.id ?? '')?.rows ?? [];
  const texts = rows.map(({ text = '' }) => text);

  expect(rows.filter(({ summary }) => summary.startsWith('SIP/2.0 401'))).toHaveLength(1);
  expect(texts.filter((text) => /^authorization: Digest \[redacted\]/im.test(text))).not.toEqual(
    [],
  );
  expect(texts.filter((text) => text.includes('response='))).toEqual([]);
  await finish({ alice, bob });
});

test('OPTIONS that are challenged count by their answer with credentials', async () => {
  const ping = '{ interval: 1s, timeout: 500ms, down-after: 1, up-after: 1 }';
  const stage = await openCallStage({ carrierLeg: { auth: AUTH, 'options-ping': ping } });
  stage.bob.sip.onStray = (request) => server.challengeFor(request) ?? { status: 200 };

  const taken = await waitFor('OPTIONS with credentials', () =>
    stage.bob.sip.strays.find((request) => headerValue(request, 'Authorization') !== undefined),
  );
  expect(methodOf(taken)).toBe('OPTIONS');
});

/** Empty when there are none. */
function credentialsIn(request: SipText): string {
  return headerValue(request, 'Authorization') ?? '';
}

function nonceIn(credentials: string): string | undefined {
  return /nonce="([^"]*)"/.exec(credentials)?.[1];
}

/** Somebody who says in an UPDATE that he is to be reached elsewhere. */
function contactInUpdate(contact: string): (message: SipText) => SipText {
  return (message) =>
    methodOf(message) === 'UPDATE' && statusOf(message) === undefined
      ? withHeader(message, 'Contact', contact)
      : message;
}
