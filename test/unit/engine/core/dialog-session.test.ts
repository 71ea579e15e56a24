import { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { AppConnection } from '../../../../src/engine/admin/app-connection.ts';
import { DialogSession } from '../../../../src/engine/core/dialog-session.ts';
import { Dialog } from '../../../../src/engine/dialog/dialog.ts';
import type { Flow } from '../../../../src/engine/transport/flow.ts';
import type { SipRequest } from '../../../../src/wire/sip-message.ts';

const LOCAL = { protocol: 'udp', address: '192.0.2.7', port: 5060 } as const;
const UDP: Flow = {
  protocol: 'udp',
  localAddress: '192.0.2.7',
  localPort: 5060,
  remoteAddress: '198.51.100.1',
  remotePort: 5060,
};
const TCP: Flow = { ...UDP, protocol: 'tcp', remotePort: 40_000, connectionId: 3 };
const TLS: Flow = { ...TCP, protocol: 'tls', connectionId: 4 };

const owners: AppConnection[] = [];

afterEach(() => {
  for (const owner of owners.splice(0)) owner.close();
});

/** A dialog whose first message came by `flow`. */
function begunOver(flow: Flow): DialogSession {
  const welcome = { secret: '', hostports: '', version: '' };
  const user = { onCommand: () => undefined, onGone: () => undefined };
  const owner = new AppConnection(new Socket(), welcome, user);
  owners.push(owner);
  const dialog = new Dialog({
    role: 'uas',
    method: 'INVITE',
    callId: 'call',
    localTag: 'mine',
    remoteTag: 'yours',
    localParty: '<sip:me>;tag=mine',
    remoteParty: '<sip:you>;tag=yours',
    remoteTarget: 'sip:you@198.51.100.1',
    routeSet: [],
    localContact: '<sip:me>',
    localCSeq: 1,
    remoteCSeq: 1,
  });
  return new DialogSession({ dialog, owner, local: LOCAL, flow });
}

function reinvite(contact: string, bodyBytes = 1300): SipRequest {
  const headers = [
    { name: 'Via', value: 'SIP/2.0/TCP 198.51.100.1' },
    { name: 'Contact', value: `<${contact}>` },
  ];
  return {
    type: 'request',
    method: 'INVITE',
    uri: 'sip:me',
    headers,
    body: Buffer.alloc(bodyBytes),
  };
}

describe('a peer whose accepted request comes by another path', () => {
  test.each<[string, [first: Flow, second: Flow], string, 'moves' | 'stays']>([
    ['one large request over TCP', [UDP, TCP], 'sip:you@198.51.100.1', 'stays'],
    ['and names UDP', [UDP, TCP], 'sip:you@198.51.100.1;transport=udp', 'stays'],
    ['and names TCP', [UDP, TCP], 'sip:you@198.51.100.1;transport=TCP', 'moves'],
    ['and names another transport', [UDP, TLS], 'sip:you@198.51.100.1;transport=tcp', 'stays'],
    ['and asks for security', [UDP, TLS], 'sips:you@198.51.100.1', 'moves'],
    ['another connection', [TCP, { ...TCP, connectionId: 9 }], 'sip:you@198.51.100.1', 'moves'],
    ['back to UDP', [TCP, UDP], 'sip:you@198.51.100.1', 'moves'],
  ])('%s', (_what, [first, second], contact, expected) => {
    const session = begunOver(first);
    session.follow(reinvite(contact), second, 2);
    expect(session.dialog.remoteTarget).toBe(contact);
    expect(session.flow).toEqual(expected === 'moves' ? second : first);
  });

  test('a small request that comes over TCP is of a peer that has gone there', () => {
    const session = begunOver(UDP);
    session.follow(reinvite('sip:you@198.51.100.1', 0), TCP, 2);
    expect(session.flow).toEqual(TCP);
  });

  test('a request that another one has overtaken changes nothing', () => {
    const session = begunOver(TCP);
    const later = { ...TCP, connectionId: 9 };
    session.follow(reinvite('sip:new@198.51.100.1'), later, 3);
    session.follow(reinvite('sip:old@198.51.100.1'), { ...TCP, connectionId: 8 }, 2);
    expect(session.dialog.remoteTarget).toBe('sip:new@198.51.100.1');
    expect(session.flow).toEqual(later);
  });
});
