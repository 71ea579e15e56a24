/**
 *   phone                     SBC (mode: pass)              server
 *     | SUBSCRIBE  -----------> | SUBSCRIBE  ---------------> |
 *     |                         | <-------- NOTIFY (early)    |
 *     | <------ 401, 200        | <--------------- 401, 200   |
 *     | <------ NOTIFY          |                             |
 *     | 200  -----------------> | 200  ---------------------> |
 */
import { expect, test } from 'vitest';
import { DigestServer } from '../support/digest-server.ts';
import { FEATURE_TYPE } from '../support/feature-documents.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerValue, type SipText } from '../support/sip-text.ts';
import { type RunningSbc, startLoopbackSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const OLD_DOCUMENT =
  '<?xml version="1.0"?>\n<AgentNotReadyEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"><device>x</device></AgentNotReadyEvent>\n';
const MULTIPART = `preamble\n--"odd one"\nContent-Type: ${FEATURE_TYPE}\nContent-ID: <1>\n\n${OLD_DOCUMENT}--"odd one"--\nepilogue`;

async function passing(server: SipPeer): Promise<RunningSbc> {
  return closeAfterTest(
    await startLoopbackSbc({
      carrier: server,
      edit: (yaml) =>
        yaml.replace(
          'feature-keys: { enabled: false }',
          'feature-keys: { enabled: true, mode: pass, domains: { pbx.example: [] } }',
        ),
    }),
  );
}

test('SUBSCRIBE, NOTIFY and every answer cross unread, and neither side sees the other', async () => {
  const server = closeAfterTest(await SipPeer.open({ user: 'server' }));
  const digest = new DigestServer({
    username: '2001',
    password: 'far',
    realm: 'pbx.example',
    checksUri: false,
  });
  const opened: SipDialog[] = [];
  const asked: SipText[] = [];
  server.onSubscription = (dialog, subscribe) => {
    asked.push(subscribe);
    dialog.handle('SUBSCRIBE', (request) => {
      asked.push(request);
      const expires = headerValue(request, 'Expires') ?? '';
      return digest.challengeFor(request) ?? { status: 202, headers: [['Expires', expires]] };
    });
    opened.push(dialog);
  };
  const sbc = await passing(server);
  const credentials = { username: '2001', password: 'far' };
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: sbc.access, credentials }));
  const answer = await phone.subscribe({ event: 'as-feature-event;id=7', expires: 600 });
  const dialog = await waitFor('second dialog', () => opened[1]);
  const body = await dialog.request('NOTIFY', {
    headers: [
      ['Event', 'as-feature-event;id=7'],
      ['Subscription-State', 'active;expires=600'],
    ],
    contentType: 'multipart/mixed; boundary="odd one"',
    body: MULTIPART,
  });
  const notify = await phone.nextNotify();
  const set = '<SetAgentState><device/></SetAgentState>';
  const inDialog = await phone.subscribe({ body: set, event: 'as-feature-event;id=7' });
  phone.onNotify = () => ({ status: 481 });
  const refused = await dialog.request('NOTIFY', {
    headers: [
      ['Event', 'as-feature-event;id=7'],
      ['Subscription-State', 'active;expires=600'],
    ],
  });

  expect([answer.status, answer.expires, body.startLine]).toEqual([202, '600', 'SIP/2.0 200 OK']);
  expect([notify.body, notify.contentType]).toEqual([
    MULTIPART,
    'multipart/mixed; boundary="odd one"',
  ]);
  expect(headerValue(notify.message, 'Event')).toBe('as-feature-event;id=7');
  expect([inDialog.status, asked.at(-1)?.body]).toEqual([202, set]);
  expect(refused.startLine).toContain('481');
  const phoneAddress = `127.0.0.1:${phone.port}`;
  const serverAddress = `127.0.0.1:${server.port}`;
  const seenByServer = server.log.filter(({ direction }) => direction === 'received');
  const seenByPhone = phone.log.filter(({ direction }) => direction === 'received');
  expect(seenByServer.filter(({ text }) => text.includes(phoneAddress))).toHaveLength(0);
  expect(seenByPhone.filter(({ text }) => text.includes(serverAddress))).toHaveLength(0);
});

test('a NOTIFY that comes before the answer reaches the phone behind it', async () => {
  const server = closeAfterTest(await SipPeer.open({ user: 'server' }));
  let early: Promise<SipText> | undefined;
  server.onSubscription = (dialog) => {
    dialog.handle('SUBSCRIBE', async () => {
      early = dialog.request('NOTIFY', {
        headers: [
          ['Event', 'as-feature-event'],
          ['Subscription-State', 'terminated;reason=timeout'],
        ],
      });
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
      return { status: 200, headers: [['Expires', '0']] };
    });
  };
  const sbc = await passing(server);
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: sbc.access }));
  const answer = await phone.subscribe({ expires: 0 });
  const notify = await phone.nextNotify();
  const answered = await early;
  const [first, second] = phone.log.filter(({ direction }) => direction === 'received');
  expect([answer.status, notify.state, answered?.startLine]).toEqual([
    200,
    'terminated',
    'SIP/2.0 200 OK',
  ]);
  expect([first?.text.slice(0, 11), second?.text.slice(0, 6)]).toEqual(['SIP/2.0 200', 'NOTIFY']);
});
