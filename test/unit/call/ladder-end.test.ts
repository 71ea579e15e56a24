import { expect, test } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import { ladderEndOf, recordMessage } from '../../../src/call/ladder-end.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';

const CALL = { callId: 'a', leg: 'callee' } as const;

function start(remote: string) {
  const ladder = new LadderRecorder();
  const end = {
    leg: 'callee',
    name: 'carrier',
    transport: 'udp',
    local: '192.0.2.1:5060',
  } as const;
  ladder.place('a', { ...end, sinceMs: 0, remote });
  let atMs = 0;
  const says = (direction: 'in' | 'out', address?: string, port = 5060): void => {
    atMs += 1;
    const source = address === undefined ? undefined : { address, port, protocol: 'udp' };
    const text = 'OPTIONS sip:x SIP/2.0\r\n\r\n';
    recordMessage({ ladder, nowMs: () => atMs }, CALL, [direction, text, source]);
  };
  const rows = () =>
    ladder.ladder('a')?.rows.map((row) => [row.direction, row.summary, row.remote]);
  const remotes = () => ladder.ladder('a')?.ends.map((each) => `${each.sinceMs} ${each.remote}`);
  return { says, rows, remotes };
}

const LINE = 'OPTIONS sip:x SIP/2.0';

test('a message from where the leg is says nothing of it', () => {
  const { says, rows, remotes } = start('192.0.2.9:5060');
  says('out');
  says('in', '192.0.2.9');
  expect(rows()).toEqual([
    ['out', LINE, undefined],
    ['in', LINE, undefined],
  ]);
  expect(remotes()).toEqual(['0 192.0.2.9:5060']);
});

test('a message from elsewhere names the place, the leg stays where it was', () => {
  const { says, rows, remotes } = start('192.0.2.9:5060');
  says('in', '2001:db8::9', 5061);
  expect(rows()).toEqual([['in', LINE, '[2001:db8::9]:5061']]);
  expect(remotes()).toEqual(['0 192.0.2.9:5060']);
});

test.each(['trunk.example', 'trunk.example:5070'])(
  'the first answer of %s shows its address',
  (name) => {
    const { says, rows, remotes } = start(name);
    says('out');
    says('in', '192.0.2.9');
    says('in', '192.0.2.9');
    expect(rows()?.map(([, , remote]) => remote)).toEqual([undefined, undefined, undefined]);
    expect(remotes()).toEqual([`0 ${name}`, '2 192.0.2.9:5060']);
  },
);

test.each([
  ['out', 'INVITE sip:x SIP/2.0', 'TCP', undefined, 'tcp'],
  ['out', 'INVITE sip:x SIP/2.0', 'UDP', undefined, undefined],
  ['in', 'SIP/2.0 200 OK', 'TCP', undefined, 'tcp'],
  ['in', 'BYE sip:x SIP/2.0', 'TCP', 'udp', undefined],
  ['in', 'BYE sip:x SIP/2.0', 'UDP', 'tls', 'tls'],
  ['out', 'SIP/2.0 200 OK', 'TCP', undefined, undefined],
  ['out', 'INVITE sip:x SIP/2.0', 'PIGEON', undefined, undefined],
] as const)('%s: %s with Via of %s, received by %s, took %s', (...message) => {
  const [direction, line, via, protocol, transport] = message;
  const ladder = new LadderRecorder();
  const end = { leg: 'callee', name: 'x', local: '192.0.2.1:5060', sinceMs: 0 } as const;
  ladder.place('a', { ...end, remote: '192.0.2.9:5060', transport: 'udp' });
  const text = `${line}\r\nv : SIP / 2.0 / ${via} 192.0.2.1\r\n\r\n`;
  const source =
    protocol === undefined ? undefined : { address: '192.0.2.9', port: 5060, protocol };
  recordMessage({ ladder, nowMs: () => 1 }, CALL, [direction, text, source]);
  expect(ladder.ladder('a')?.rows[0]?.transport).toBe(transport);
});

test.each([
  ['192.0.2.9:5060', 'udp', '127.0.0.1:5060'],
  ['[2001:db8::9]:5060', 'udp', '[::1]:5060'],
  ['trunk.example', 'udp', '127.0.0.1:5060'],
  ['[2001:db8::9]:5060', 'tcp', '127.0.0.1:5061'],
] as const)('%s over %s meets our port of its family, %s', (remote, transport, local) => {
  const text = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } } ]
sip-interfaces:
  - { name: core, realm: core, sip-ports: [ "tcp/127.0.0.1:5061", "udp/127.0.0.1:5060", "udp/[::1]:5060" ] }
`;
  const loaded = loadConfig({ file: 'test', env: {}, text });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const [sipInterface] = loaded.config.sipInterfaces;
  const [realm] = loaded.config.realms;
  if (sipInterface === undefined || realm === undefined) throw new Error('no leg');
  const leg = new CallLeg({
    side: 'callee',
    sipInterface,
    realm,
    agent: undefined,
    remote,
    transport,
  });
  expect(ladderEndOf(leg, 0)).toMatchObject({ local, remote });
});

test.each([
  [
    'nobody',
    'udp 192.0.2.9:5060: port unreachable, counted as 503',
    'decision',
    'no answer from gw1: udp 192.0.2.9:5060: port unreachable, counted as 503',
  ],
  [
    'engine',
    'SIP/2.0 487 Request Terminated',
    'sip',
    'SIP/2.0 487 Request Terminated (by the SIP engine)',
  ],
] as const)('what came from %s is no message that could be exported', (...expected) => {
  const [source, text, kind, summary] = expected;
  const ladder = new LadderRecorder();
  const end = { leg: 'callee', name: 'gw1', local: '192.0.2.1:5060', transport: 'udp' } as const;
  ladder.place('a', { ...end, sinceMs: 0, remote: '192.0.2.9:5060' });
  recordMessage({ ladder, nowMs: () => 1 }, CALL, ['in', text, source]);
  const [row] = ladder.ladder('a')?.rows ?? [];
  expect([row?.kind, row?.summary, row?.text]).toEqual([kind, summary, undefined]);
});
