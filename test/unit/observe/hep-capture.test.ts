import { describe, expect, test } from 'vitest';
import { DigitLedger } from '../../../src/observe/digit-ledger.ts';
import { HepCapture, type HepSettings } from '../../../src/observe/hep-capture.ts';
import { LadderRecorder, type LadderRow } from '../../../src/observe/ladder.ts';
import { decodeHep, type HepDatagram } from '../../support/hep-decoder.ts';

const SETTINGS: HepSettings = {
  captureId: 7,
  nodeName: 'node',
  password: '',
  sendsSip: true,
  sendsDecisions: true,
  sendsDigits: true,
};

/** A ladder and a ledger whose rows are captured. */
class Stage {
  readonly sent: { readonly content: string; readonly packet: HepDatagram }[] = [];
  readonly capture: HepCapture;
  readonly ladder: LadderRecorder;
  readonly ledger: DigitLedger;

  constructor(settings: Partial<HepSettings> = {}, showDigits = false, isOn = true) {
    this.capture = new HepCapture({
      sender: {
        isOn,
        send: (content, bytes) => this.sent.push({ content, packet: decodeHep(bytes) }),
      },
      settings: { ...SETTINGS, ...settings },
      endOf: (callId, leg) => this.ladder.endOf(callId, leg),
      addressOf: (name) => (name === 'carrier' ? '198.51.100.7' : undefined),
    });
    this.ladder = new LadderRecorder({ showDigits, onRow: (...row) => this.capture.row(...row) });
    this.ledger = new DigitLedger({
      showDigits,
      onOutcome: (_outcome, record) => this.capture.digit(record),
    });
    const end = { sinceMs: 0, transport: 'udp' } as const;
    this.ladder.place('c1', {
      ...end,
      leg: 'caller',
      name: 'phone',
      local: '192.0.2.1:5060',
      remote: '192.0.2.9:40000',
    });
    this.ladder.place('c1', {
      ...end,
      leg: 'callee',
      transport: 'tls',
      name: 'carrier',
      local: '192.0.2.2:5061',
      remote: 'sip.carrier.example:5063',
    });
  }

  press(pressId: string): void {
    this.ledger.pressed({
      pressId,
      callId: 'c1',
      direction: 'callee-to-caller',
      digit: '7',
      source: { type: 'notify', cseq: 4 },
      atMs: 1_000,
    });
  }
}

const SIP: LadderRow = {
  atMs: 1_500,
  kind: 'sip',
  leg: 'caller',
  direction: 'in',
  summary: 'INVITE sip:1@example.com SIP/2.0',
  text: 'INVITE sip:1@example.com SIP/2.0\r\nAuthorization: Digest response="s3cret"\r\n\r\n',
};

describe('a SIP message', () => {
  test.each([
    ['caller', 'in', '192.0.2.9:40000 -> 192.0.2.1:5060', 17],
    ['caller', 'out', '192.0.2.1:5060 -> 192.0.2.9:40000', 17],
    ['callee', 'in', '198.51.100.7:5063 -> 192.0.2.2:5061', 6],
    ['callee', 'out', '192.0.2.2:5061 -> 198.51.100.7:5063', 6],
  ] as const)(
    'of the %s going %s has the addresses of its leg',
    (leg, direction, way, protocol) => {
      const { ladder, sent } = new Stage();
      ladder.record('c1', { ...SIP, leg, direction });
      expect(sent).toHaveLength(1);
      const { content, packet } = sent[0] ?? {};
      expect(content).toBe('sip');
      expect(packet).toMatchObject({ payloadType: 1, correlationId: 'c1', captureId: 7, protocol });
      const from = `${packet?.source}:${packet?.sourcePort}`;
      expect(`${from} -> ${packet?.destination}:${packet?.destinationPort}`).toBe(way);
      expect([packet?.seconds, packet?.microseconds]).toEqual([1, 500_000]);
      expect(packet?.payload).toContain('INVITE sip:1@example.com');
      expect(packet?.payload).not.toContain('s3cret');
    },
  );

  test('that took another transport says so', () => {
    const { ladder, sent } = new Stage();
    for (const transport of ['tcp', 'udp'])
      ladder.record('c1', { ...SIP, direction: 'out', transport });
    expect(sent.map(({ packet }) => packet.protocol)).toEqual([6, 17]);
  });

  test('is whole up to what fits into a datagram', () => {
    const { ladder, sent } = new Stage();
    const text = `${SIP.text ?? ''}${'x'.repeat(40_000)}`;
    ladder.record('c1', { ...SIP, text });
    const body = sent[0]?.packet.payload.split('\r\n\r\n')[1] ?? '';
    expect(body).toBe('x'.repeat(40_000));
  });

  test('that came from elsewhere says so', () => {
    const { ladder, sent } = new Stage();
    ladder.record('c1', { ...SIP, remote: '[2001:db8::7]:5070' });
    expect(sent[0]?.packet).toMatchObject({
      source: '2001:0db8:0000:0000:0000:0000:0000:0007',
      sourcePort: 5070,
      destinationPort: 5060,
    });
  });

  test('of a call nobody knows the ends of goes all the same', () => {
    const { ladder, sent } = new Stage();
    ladder.record('other', SIP);
    expect(sent[0]?.packet).toMatchObject({ source: '0.0.0.0', sourcePort: 0 });
  });
});

test('a decision is JSON that names the call; rows about digits are left to the ledger', () => {
  const { ladder, sent } = new Stage();
  ladder.record('c1', { atMs: 1_000, kind: 'decision', summary: 'row 7: KPML to 2833' });
  ladder.record('c1', { atMs: 1_000, kind: 'dtmf', leg: 'caller', summary: 'digit from caller' });
  expect(sent.map(({ content, packet }) => [content, packet.payloadType])).toEqual([
    ['decision', 100],
  ]);
  expect(JSON.parse(sent[0]?.packet.payload ?? '')).toEqual({
    callId: 'c1',
    type: 'decision',
    summary: 'row 7: KPML to 2833',
  });
});

test('a press is sent when something has become of it, masked as in the ledger', () => {
  const stage = new Stage();
  stage.press('p1');
  stage.press('p2');
  expect(stage.sent).toEqual([]);
  stage.ledger.sent('p1', { type: 'rtp', rtpTimestamp: 160, atMs: 1_004 });
  stage.ledger.dropped('p2', 'no-match');
  const records: unknown[] = stage.sent.map(({ packet }) => JSON.parse(packet.payload));
  expect(records).toEqual([
    {
      callId: 'c1',
      type: 'digit',
      pressId: 'p1',
      direction: 'callee-to-caller',
      digit: '*',
      source: { type: 'notify', cseq: 4 },
      atMs: 1_000,
      outputs: [{ type: 'rtp', rtpTimestamp: 160, latencyMs: 4 }],
    },
    expect.objectContaining({ pressId: 'p2', digit: '*', dropped: 'no-match' }),
  ]);
  expect(stage.sent[0]?.packet).toMatchObject({ source: '198.51.100.7', payloadType: 100 });
});

test.each([
  ['sendsSip', 'sip'],
  ['sendsDecisions', 'decision'],
  ['sendsDigits', 'digit'],
] as const)('without %s nothing of %s is sent, until a reload says otherwise', (key, content) => {
  const stage = new Stage({ [key]: false });
  const play = (pressId: string): void => {
    stage.ladder.record('c1', SIP);
    stage.ladder.record('c1', { atMs: 1, kind: 'decision', summary: 'why' });
    stage.press(pressId);
    stage.ledger.sent(pressId, { type: 'relay' });
  };
  play('p1');
  const all = ['decision', 'digit', 'sip'];
  const contents = (): string[] => stage.sent.map((sent) => sent.content).toSorted();
  expect(contents()).toEqual(all.filter((item) => item !== content));
  stage.capture.apply(SETTINGS);
  stage.sent.length = 0;
  play('p2');
  expect(contents()).toEqual(all);
});

test('without a server nothing is made', () => {
  const { ladder, sent } = new Stage({}, false, false);
  ladder.record('c1', SIP);
  expect(sent).toEqual([]);
});
