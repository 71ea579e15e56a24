import { describe, expect, test, vi } from 'vitest';
import type { CallStack } from '../../../src/call/call-context.ts';
import type { RefusedAttempt } from '../../../src/call/call-watch.ts';
import { Registrations } from '../../../src/call/outside/registrations.ts';
import { CallRegistry } from '../../../src/call/registry.ts';
import { isWorthARow } from '../../../src/call/setup/refused-attempt.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { CdrRecord } from '../../../src/observe/cdr.ts';
import { CdrWriter } from '../../../src/observe/cdr-writer.ts';
import { DigitLedger } from '../../../src/observe/digit-ledger.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import { createLog } from '../../../src/observe/log.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { IncomingInvite } from '../../../src/sip/incoming-invite.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';
import { CallAdmission } from '../../../src/trunk/admission.ts';
import { FakeMediaEngine } from '../../support/fake-media-engine.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { buildSdp } from '../../support/sdp-text.ts';
import { table } from '../sip/invite-fixtures.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
session-agents:
  - { name: carrier, realm: core, address: 10.0.0.1, constraints: { max-sessions: 1 } }
local-policies:
  - { from-realm: access, to: "*", next-hop: carrier }
admission: { constraints: { max-sessions: 1 } }
`;

class KeptRecords extends CdrWriter {
  readonly records: CdrRecord[] = [];

  constructor() {
    super({ file: '/dev/null', onFailure: () => undefined });
  }

  override write(record: CdrRecord): void {
    this.records.push(record);
  }
}

class BrokenAgents extends AgentRegistry {
  override admit(): never {
    throw new Error('broken');
  }
}

function load(text: string): Config {
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

function unused(): never {
  throw new Error('not used here');
}

/** A stack whose callees never answer. */
function silentStack(invited: string[]): CallStack {
  return {
    isUp: true,
    dialogCount: 0,
    invite: (options) => {
      invited.push(options.uri);
      return { cancel: () => undefined };
    },
    subscribe: unused,
    request: unused,
    ping: unused,
    close: unused,
  };
}

function openRegistry(newAgents = (config: Config) => new AgentRegistry(config)) {
  const config = load(YAML);
  const agents = newAgents(config);
  const admission = new CallAdmission(config, agents);
  const cdr = new KeptRecords();
  const metrics = new Metrics();
  const media = new FakeMediaEngine();
  const invited: string[] = [];
  const errors: string[] = [];
  const ladder = new LadderRecorder();
  const registry = new CallRegistry(
    {
      config,
      stack: silentStack(invited),
      media,
      ledger: new DigitLedger(),
      ladder,
      metrics,
      cdr,
      log: createLog('error', { write: (line: string) => errors.push(line) }),
      nowMs: () => 1_700_000_000_000,
    },
    { agents, admission, registrations: new Registrations() },
  );
  const { records } = cdr;
  return { registry, agents, admission, records, ladder, metrics, media, invited, errors };
}

function newInvite(interfaceName = 'access'): {
  received: FakeReceivedRequest;
  invite: IncomingInvite;
} {
  const headers = {
    'Call-ID': 'a',
    From: '<sip:alice@127.0.0.2>;tag=1',
    To: '<sip:us@sbc>',
    Contact: '<sip:alice@127.0.0.2>',
    'Max-Forwards': '70',
    'Content-Type': 'application/sdp',
  };
  const body = buildSdp({ address: '127.0.0.2', rtpPort: 40_000 });
  const received = new FakeReceivedRequest('INVITE', headers, { body });
  const { addDialog } = table(new FakeSipConnection());
  const invite = new IncomingInvite(interfaceName, received, {
    addDialog,
    onSettled: () => undefined,
  });
  return { received, invite };
}

function statusesOf({ answers }: FakeReceivedRequest): number[] {
  return answers.map(({ status }) => status);
}

test('a broken invariant while an INVITE is judged is answered 500 and recorded', () => {
  const { registry, records } = openRegistry((config) => new BrokenAgents(config));
  const { received, invite } = newInvite();

  expect(() => registry.admit(invite)).toThrow('broken');

  expect(statusesOf(received)).toEqual([500]);
  expect(records.map(({ release }) => [release.internalCode, release.sipCode])).toEqual([
    ['bug', 500],
  ]);
});

test('whoever watches hears of an INVITE that is refused, with its record and ladder', async () => {
  const { registry, ladder } = openRegistry();
  const attempts: RefusedAttempt[] = [];
  registry.watch.by({ ended: () => undefined, refused: (attempt) => attempts.push(attempt) });
  await registry.drain();
  const { received, invite } = newInvite();
  registry.admit(invite);

  expect(statusesOf(received)).toEqual([503]);
  expect(attempts.map(({ cause, record }) => [cause.name, record.release.sipCode])).toEqual([
    ['draining', 503],
  ]);
  const { rows = [], ends = [] } = ladder.ladder(attempts[0]?.record.callId ?? '') ?? {};
  expect(rows.map(({ kind, direction }) => [kind, direction])).toEqual([
    ['sip', 'in'],
    ['decision', undefined],
    ['sip', 'out'],
  ]);
  expect(ends).toMatchObject([{ leg: 'caller', local: '127.0.0.1:6060' }]);
});

test('a stranger that is turned away leaves no ladder, which there are not many of', () => {
  const { registry, ladder } = openRegistry();
  const attempts: RefusedAttempt[] = [];
  registry.watch.by({ ended: () => undefined, refused: (attempt) => attempts.push(attempt) });
  const { received, invite } = newInvite('core');
  registry.admit(invite);

  expect(statusesOf(received)).toEqual([403]);
  expect(attempts.map(({ cause }) => [cause.name, isWorthARow(cause)])).toEqual([
    ['not-admitted', false],
  ]);
  expect(ladder.ladder(attempts[0]?.record.callId ?? '')).toBeUndefined();
});

describe('a call that ends', () => {
  test('gives its room back in the very turn', async () => {
    const { registry, agents, admission, invited, records } = openRegistry();
    const { received, invite } = newInvite();
    registry.admit(invite);
    await vi.waitFor(() => expect(invited).toHaveLength(1));
    const passage = {
      direction: 'inbound',
      interfaceName: 'access',
      agentName: undefined,
    } as const;
    const during = admission.open(passage, 0);

    received.cancel();

    const after = admission.open(passage, 0);
    expect([during.type, after.type]).toEqual(['refused', 'session']);
    expect(agents.counter('carrier')?.sessions).toBe(0);
    await vi.waitFor(() => expect(records).toHaveLength(1));
    if (after.type === 'session') after.release();
    expect(admission.open(passage, 0).type).toBe('session');
    expect(agents.counter('carrier')?.sessions).toBe(0);
  });

  test('has its record even where its media cannot be closed', async () => {
    const { registry, media, invited, records, errors } = openRegistry();
    const { received, invite } = newInvite();
    registry.admit(invite);
    await vi.waitFor(() => expect(invited).toHaveLength(1));
    for (const stream of media.opened) stream.close = () => Promise.reject(new Error('stuck'));

    received.cancel();

    await vi.waitFor(() => expect(registry.size).toBe(0));
    expect(records.map(({ release }) => release.internalCode)).toEqual(['caller-cancelled']);
    expect(errors.join('')).toContain('stuck');
  });
});
