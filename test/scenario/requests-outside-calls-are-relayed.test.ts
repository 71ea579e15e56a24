/**
 *   alice            SBC                     bob (registrar, agent `carrier`)
 *     | REGISTER      | REGISTER              |
 *     | alice@phone   | TOKEN@sbc             |
 *     |-------------->|---------------------->|
 *     |           401 |                   401 |    the same nonce: alice answers it herself
 *     |<--------------|<----------------------|
 *     | REGISTER with credentials ----------->|
 *     |           200 |                   200 |
 *     |<--------------|<----------------------|
 *     | INVITE alice@phone  |  INVITE TOKEN@sbc
 *     |<--------------|<----------------------|
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { openCallStage, shareSbcInFile, type CallStage } from '../support/call-stage.ts';
import { DigestServer, digestCredentials } from '../support/digest-server.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { Reply } from '../support/sip-dialog.ts';
import {
  addressIn,
  headerTokens,
  headerValue,
  methodOf,
  requiredHeader,
  statusOf,
  uriIn,
  type Header,
  type SipText,
} from '../support/sip-text.ts';

const METHODS = '{ register: carrier, message: carrier, publish: reject, notify: carrier }';

shareSbcInFile({ access: { methods: METHODS } });
checkLeaksAfterEach();

const USER = { username: 'alice', password: 'pearl' };

let server: DigestServer;
beforeEach(() => {
  server = new DigestServer({ ...USER, qop: 'none', checksUri: false });
});

/** Bob as a registrar: grants what it is asked for, with credentials. */
function registrar(request: SipText): Reply {
  if (methodOf(request) !== 'REGISTER') return { status: 405 };
  const contact = requiredHeader(request, 'Contact');
  const seconds = headerValue(request, 'Expires') ?? '60';
  const granted: Header[] = seconds === '0' ? [] : [['Contact', `${contact};expires=${seconds}`]];
  const others: Header = ['Contact', '<sip:other@192.0.2.9>;expires=30'];
  return server.challengeFor(request) ?? { status: 200, headers: [...granted, others] };
}

/** Alice registers as phones do: asked for credentials, she sends them. */
async function register({ alice, running }: CallStage, seconds: number): Promise<SipText> {
  const to = { user: 'alice', via: running.access };
  const expires: Header = ['Expires', String(seconds)];
  const asked = await alice.sip.request('REGISTER', to, { headers: [expires] });
  expect(statusOf(asked)).toBe(401);
  const uri = `sip:${running.access.address}`;
  const credentials = digestCredentials(asked, USER, { method: 'REGISTER', uri });
  return alice.sip.request('REGISTER', to, { headers: [expires, credentials] });
}

/** Where bob reaches alice, as her last REGISTER said. */
function contactAtRegistrar({ bob }: CallStage): string {
  const last = bob.sip.strays.findLast((request) => methodOf(request) === 'REGISTER');
  return uriIn(requiredHeader(last ?? { startLine: '', headers: [], body: '' }, 'Contact'));
}

describe('REGISTER', () => {
  test('is settled between device and registrar, and leads requests back', async () => {
    const stage = await openCallStage();
    stage.bob.sip.onStray = registrar;

    const answer = await register(stage, 60);

    const contact = contactAtRegistrar(stage);
    const { address, port } = addressIn(contact);
    expect(statusOf(answer)).toBe(200);
    expect(headerTokens(answer, 'Contact')).toEqual([`${stage.alice.sip.contact};expires=60`]);
    expect({ address, port }).toEqual(stage.running.core);
    expect(contact).not.toContain(stage.alice.sip.address);
    const [first, second] = stage.bob.sip.strays.map((each) => uriIn(requiredHeader(each, 'To')));
    expect(first).toBe(`sip:alice@127.0.0.3:${stage.bob.sip.port}`);
    expect(second).toBe(first);

    const user = /^sip:([^@]+)@/.exec(contact)?.[1] ?? '';
    const [bobCall, aliceCall] = await Promise.all([
      stage.bob.call({ to: user, via: stage.running.core }),
      stage.alice.answer(),
    ]);
    expect(aliceCall.remoteMessage.startLine).toContain(uriIn(stage.alice.sip.contact));
    await bobCall.hangUp();
    await aliceCall.waitForEnd();

    stage.alice.sip.onStray = () => ({ status: 202 });
    const message = await stage.bob.sip.request(
      'MESSAGE',
      { user, via: stage.running.core },
      { body: 'hello', contentType: 'text/plain' },
    );
    expect(statusOf(message)).toBe(202);
    expect(stage.alice.sip.strays.at(-1)?.body).toBe('hello');
  });

  test('over TCP leads requests back on the connection of the device', async () => {
    const stage = await openCallStage({
      transport: 'tcp',
      access: { methods: '{ register: carrier }' },
    });
    stage.bob.sip.onStray = registrar;
    await register(stage, 60);
    const user = /^sip:([^@]+)@/.exec(contactAtRegistrar(stage))?.[1] ?? '';
    stage.alice.sip.onStray = () => ({ status: 202 });

    const answer = await stage.bob.sip.request('NOTIFY', { user, via: stage.running.core });

    expect(statusOf(answer)).toBe(202);
  });

  test('that takes the Contact back ends the way to the device', async () => {
    const stage = await openCallStage();
    stage.bob.sip.onStray = registrar;
    await register(stage, 60);
    const user = /^sip:([^@]+)@/.exec(contactAtRegistrar(stage))?.[1] ?? '';

    const answer = await register(stage, 0);

    expect(statusOf(answer)).toBe(200);
    expect(headerValue(answer, 'Contact')).toBeUndefined();
    const to = { user, via: stage.running.core };
    const message = await stage.bob.sip.request('MESSAGE', to, {});
    expect(statusOf(message)).toBe(405);
  });

  test('whose credentials are refused changes nothing', async () => {
    const stage = await openCallStage();
    stage.bob.sip.onStray = registrar;
    const to = { user: 'carol', via: stage.running.access };

    const answer = await stage.alice.sip.request('REGISTER', to, {
      headers: [['Authorization', 'Digest username="alice", realm="r", nonce="n"']],
    });

    expect(statusOf(answer)).toBe(401);
    const user = /^sip:([^@]+)@/.exec(contactAtRegistrar(stage))?.[1] ?? '';
    const message = await stage.bob.sip.request('MESSAGE', { user, via: stage.running.core });
    expect(statusOf(message)).toBe(405);
  });
});

describe('others', () => {
  test('go where `methods` says, without names of the sender, and what is not there is refused', async () => {
    const stage = await openCallStage();
    stage.bob.sip.onStray = () => ({
      status: 486,
      headers: [['Retry-After', '7']],
    });
    const to = { user: '4711', via: stage.running.access };

    const message = await stage.alice.sip.request('MESSAGE', to, {
      headers: [['Subject', 'greeting']],
      body: 'hi there',
      contentType: 'text/plain',
    });
    const publish = await stage.alice.sip.request('PUBLISH', to);
    const options = await stage.alice.sip.request('OPTIONS', to);

    expect([statusOf(message), headerValue(message, 'Retry-After')]).toEqual([486, '7']);
    const [relayed] = stage.bob.sip.strays;
    if (relayed === undefined) throw new Error('not relayed');
    expect(relayed.startLine).toBe(`MESSAGE sip:4711@127.0.0.3:${stage.bob.sip.port} SIP/2.0`);
    expect([relayed.body, headerValue(relayed, 'Content-Type')]).toEqual([
      'hi there',
      'text/plain',
    ]);
    expect([headerValue(relayed, 'Subject'), headerValue(relayed, 'Max-Forwards')]).toEqual([
      'greeting',
      '69',
    ]);
    expect(JSON.stringify(relayed)).not.toContain(stage.alice.sip.address);
    expect(statusOf(publish)).toBe(405);
    expect(headerTokens(publish, 'Allow')).not.toContain('PUBLISH');
    expect(headerTokens(options, 'Allow')).toContain('MESSAGE');
  });

  test('get 503 where nobody is there', async () => {
    const stage = await openCallStage();
    await stage.bob.close();

    const answer = await stage.alice.sip.request('NOTIFY', {
      user: 'x',
      via: stage.running.access,
    });

    expect(statusOf(answer)).toBe(503);
  });

  test('are answered for by us where the agent has `auth`, but never a REGISTER', async () => {
    const stage = await openCallStage({
      access: { methods: METHODS },
      carrierLeg: { auth: '{ username: alice, password: pearl }' },
    });
    stage.bob.sip.onStray = (request) => server.challengeFor(request) ?? { status: 200 };
    const to = { user: '4711', via: stage.running.access };

    const message = await stage.alice.sip.request('MESSAGE', to);
    const registration = await stage.alice.sip.request('REGISTER', to);

    expect(statusOf(message)).toBe(200);
    expect(statusOf(registration)).toBe(401);
    expect(
      stage.bob.sip.strays.map((request) => [
        methodOf(request),
        headerValue(request, 'Authorization') !== undefined,
      ]),
    ).toEqual([
      ['MESSAGE', false],
      ['MESSAGE', true],
      ['REGISTER', false],
    ]);
  });

  test('do not come back to the agent that has sent them', async () => {
    const stage = await openCallStage({
      core: { methods: '{ message: carrier }' },
    });

    const answer = await stage.bob.sip.request('MESSAGE', { user: 'x', via: stage.running.core });

    expect(statusOf(answer)).toBe(405);
    expect(headerTokens(answer, 'Allow')).not.toContain('MESSAGE');
  });
});
