/**
 * A stage on which feature keys act on calls: bob calls accounts, whose phone is alice; what they forward goes to bob.
 *
 *   bob ── core [SBC] access ── alice (2001@pbx.example, …)
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type CallStage, openCallStage, plainOffer, tracesOf } from './call-stage.ts';
import { closeAfterTest } from './leak-check.ts';
import type { StartOptions } from './start-sbc.ts';
import type { IncomingCall, OutgoingCall } from './sip-calls.ts';
import type { Header } from './sip-text.ts';
import { headerValues } from './sip-text.ts';

/** Lines of `feature-keys.calls` and further edits of the text. */
export interface ForwardingOptions {
  readonly calls?: string;
  readonly targets?: string;
  readonly applyTo?: string;
  readonly edit?: (yaml: string) => string;
}

/** Options of an SBC whose feature keys act on calls, for all tests of the file. */
export function forwardingSbc(options: ForwardingOptions = {}): Partial<StartOptions> {
  const { calls = 'ring: 1s', targets = '', applyTo = 'true', edit = (yaml) => yaml } = options;
  const folder = mkdtempSync(join(tmpdir(), 'forward-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    edit: (yaml) => {
      const file = join(folder, 'features.db');
      const section = [
        'enabled: true',
        `provider: { kind: sqlite, file: ${JSON.stringify(file)}, deadline: 30s }`,
        'domains: { pbx.example: [ 127.0.0.1, 127.0.0.4 ] }',
        `apply-to-calls: ${applyTo}`,
        `targets: { ${targets} }`,
        `calls: { ${calls} }`,
      ].join(', ');
      return edit(yaml.replace('feature-keys: { enabled: false }', `feature-keys: { ${section} }`));
    },
  };
}

/** A stage of the shared SBC; whoever is forwarded to sees nothing of the phone that was left but our own session id. */
export async function openForwardStage(): Promise<CallStage> {
  const stage = await openCallStage({ hidesTopology: false });
  closeAfterTest({
    close: async () => {
      await Promise.resolve();
      const { alice, bob } = stage;
      const traces = tracesOf(alice.sip, bob.sip).filter((token) => !token.startsWith('o='));
      if (traces.length > 0) throw new Error(`bob was shown ${traces.join(', ')} of alice`);
    },
  });
  return stage;
}

export interface Wish {
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: number;
}

/** Sets a feature of `user@pbx.example`, as an operator would. */
export async function setFeature(
  { running }: Pick<CallStage, 'running'>,
  user: string,
  feature: string,
  wish: Wish = { status: true },
): Promise<void> {
  const { address: host, port } = running.api;
  const path = `/api/v1/features/${user}@pbx.example/${feature}`;
  const headers = { 'Content-Type': 'application/json' };
  // A connection of its own, so that none is left open.
  const sent = request({ host, port, path, method: 'PUT', headers, agent: false });
  sent.end(JSON.stringify(wish));
  const [reply] = await once(sent, 'response');
  if (!(reply instanceof IncomingMessage)) throw new Error('no reply');
  const text = (await reply.toArray()).join('');
  if (reply.statusCode !== 200) throw new Error(`${feature}: ${reply.statusCode} ${text}`);
}

/** Bob calls an account. */
export function callAccount(
  { bob, running }: CallStage,
  user: string,
  headers: readonly Header[] = [],
): OutgoingCall {
  return bob.sip.invite({ to: user, via: running.core, body: plainOffer(bob.sip), headers });
}

/** The user that an INVITE is for. */
export function calledUser({ invite }: IncomingCall): string {
  return /^INVITE sip:([^@]*)@/.exec(invite.startLine)?.[1] ?? '';
}

/** What an INVITE says of the forwards behind it. */
export function forwardsIn({ invite }: IncomingCall): { diversion: string; history: string } {
  return {
    diversion: headerValues(invite, 'Diversion').join(', '),
    history: headerValues(invite, 'History-Info').join(', '),
  };
}
