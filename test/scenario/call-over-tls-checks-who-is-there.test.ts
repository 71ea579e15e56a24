/**
 *   phone 127.0.0.1           SBC            carrier "localhost"
 *     | TLS: the SBC proves     | TLS: the carrier proves
 *     |   that it is 127.0.0.1  |   that it is localhost
 *     | INVITE  Via TLS         | INVITE  Via TLS, Contact transport=tls
 *     |------------------------>|------------------------>|
 *     |                     200 |                     200 |
 *     |<------------------------|<------------------------|
 *     |====================== audio ======================|
 */
import { expect, test } from 'vitest';
import { plainOffer } from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { headerValue, headerValues, statusOf } from '../support/sip-text.ts';
import { startFromText, startLoopbackSbc } from '../support/start-sbc.ts';
import type { RunningSbc } from '../support/start-sbc.ts';
import { tlsAuthority, tlsOwner, tlsPath } from '../support/tls-files.ts';
import type { TlsOwner } from '../support/tls-files.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

interface TlsStage {
  readonly running: RunningSbc;
  readonly phone: Rfc2833Trunk;
  readonly carrier: Rfc2833Trunk;
  /** What the carrier was called when the SBC connected to it. */
  readonly names: (string | undefined)[];
}

interface TlsStageOptions {
  /** Whose certificate the carrier shows. */
  readonly carrier?: TlsOwner;
  /** Address of the session agent in place of `localhost`. */
  readonly carrierHost?: string;
  readonly verify?: 'required' | 'none';
}

async function openTlsStage(options: TlsStageOptions = {}): Promise<TlsStage> {
  const { carrierHost = 'localhost', verify = 'required' } = options;
  const names: (string | undefined)[] = [];
  const own = { ca: tlsAuthority(), onServerName: (name?: string) => names.push(name) };
  const [phone, carrier] = await Promise.all(
    (['stranger', options.carrier ?? 'carrier'] as const).map(async (owner) => {
      const tls = { ...own, ...tlsOwner(owner) };
      return closeAfterTest(await Rfc2833Trunk.open({ transport: 'tls', tls }));
    }),
  );
  if (phone === undefined || carrier === undefined) throw new Error('an end is missing');
  const files = `certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('sbc.key')}, ca: ${tlsPath('ca.pem')}`;
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: carrier.sip,
      access: { tls: `{ ${files} }` },
      core: { tls: `{ ${files}, verify: ${verify} }` },
      edit: (yaml) =>
        yaml
          .replaceAll('"tcp/', '"tls/')
          .replace(
            `address: "127.0.0.1:${carrier.sip.port}"`,
            `address: "${carrierHost}:${carrier.sip.port}"`,
          )
          .replaceAll('transport: udp', 'transport: tls'),
    }),
  );
  return { running, phone, carrier, names };
}

test('from both ends: with the right names, and TLS in every Via and Contact', async () => {
  const { running, phone, carrier, names } = await openTlsStage();

  const [caller, callee] = await Promise.all([
    phone.call({ to: '5551000', via: running.access }),
    carrier.answer(),
  ]);
  await waitFor('audio both ways', () =>
    [caller, callee].every(({ rtp }) => rtp.received.length > 2),
  );
  await caller.press('7');
  expect(await callee.waitForDigits(1)).toBe('7');
  await callee.hangUp();
  await caller.waitForEnd();

  const invite = carrier.sip.incoming[0]?.invite;
  if (invite === undefined) throw new Error('the carrier got no INVITE');
  const { address, port } = running.core;
  expect(headerValue(invite, 'Via')).toContain(`SIP/2.0/TLS ${address}:${port};`);
  expect(headerValue(invite, 'Contact')).toMatch(/@127\.0\.0\.1:\d+;transport=tls>/);
  expect(names).toEqual(['localhost']);
  const toPhone = phone.sip.log.filter(({ direction }) => direction === 'received');
  const contacts = toPhone.flatMap(({ message }) => headerValues(message, 'Contact'));
  expect(contacts.length).toBeGreaterThan(0);
  expect(contacts.filter((contact) => !contact.includes(';transport=tls'))).toEqual([]);
});

test.each<[why: string, options: TlsStageOptions]>([
  ['another name', { carrierHost: '127.0.0.1' }],
  ['an unknown authority', { carrier: 'stranger' }],
  ['a time that is over', { carrier: 'expired' }],
])('a carrier whose certificate has %s gets no call, the caller 503', async (_why, options) => {
  const { running, phone, carrier } = await openTlsStage(options);
  const outgoing = phone.sip.invite({
    to: '5551000',
    via: running.access,
    body: plainOffer(phone.sip),
  });
  expect(statusOf(await outgoing.finished())).toBe(503);
  expect(carrier.sip.incoming).toEqual([]);
});

test('with verify: none any certificate will do', async () => {
  const { running, phone, carrier } = await openTlsStage({ carrier: 'stranger', verify: 'none' });
  const [caller, callee] = await Promise.all([
    phone.call({ to: '5551000', via: running.access }),
    carrier.answer(),
  ]);
  expect(carrier.sip.incoming).toHaveLength(1);
  await caller.hangUp();
  await callee.waitForEnd();
});

test('a key that belongs to another certificate keeps the SBC from starting, by name', async () => {
  const [port = 0, api = 0] = await freePorts(2, '127.0.0.1');
  const text = [
    'realms:',
    '  - { name: access, media: { address: 127.0.0.1, port-min: 30000, port-max: 30001 } }',
    'sip-interfaces:',
    `  - { name: access, realm: access, admit: anyone, sip-ports: [ "tls/127.0.0.1:${port}" ],`,
    `      tls: { certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('carrier.key')} } }`,
    `api: { listen: 127.0.0.1:${api} }`,
    '',
  ].join('\n');
  await expect(startFromText(text)).rejects.toThrow(
    /^sip-interface access: key .*carrier\.key does not belong to certificate .*sbc\.pem$/,
  );
});
