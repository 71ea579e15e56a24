/**
 * Three ends and the SBC: alice and bob talk, one of them transfers the other to carol.
 *
 *   alice 127.0.0.2 ── access 127.0.0.1 [SBC] core 127.0.0.4 ── bob 127.0.0.3, carol 127.0.0.5
 *
 * Numbers that begin with 77 lead to carol, from either side. The SBC is that of the file; the ends are new in each test.
 */

import { afterAll, beforeAll } from 'vitest';
import { freePorts } from './free-ports.ts';
import { KpmlPhone } from './kpml-phone.ts';
import { closeAfterTest } from './leak-check.ts';
import type { LegParameters } from './loopback-config.ts';
import { Rfc2833Trunk, type TrunkOptions } from './rfc2833-trunk.ts';
import type { SipDialog } from './sip-dialog.ts';
import type { Header, SipText } from './sip-text.ts';
import { type RunningSbc, startLoopbackSbc, type StartOptions } from './start-sbc.ts';
import { expectNothingLeft, startRelayThread, tracesOf, withoutOldRecords } from './call-stage.ts';
import { waitFor } from './wait-for.ts';

export interface TransferStage {
  readonly running: RunningSbc;
  readonly alice: Rfc2833Trunk;
  readonly bob: Rfc2833Trunk;
  readonly carol: Rfc2833Trunk;
}

const ADDRESSES = { alice: '127.0.0.2', bob: '127.0.0.3', carol: '127.0.0.5' } as const;

type End = keyof typeof ADDRESSES;

interface SharedSbc {
  readonly running: RunningSbc;
  readonly ports: Readonly<Record<End, number>>;
}

let shared: SharedSbc | undefined;

/** One SBC for all tests of the file. */
export function shareTransferSbc(
  options: Pick<StartOptions, 'edit'> & {
    readonly access?: LegParameters;
    readonly core?: LegParameters;
  } = {},
): void {
  beforeAll(async () => {
    const portOf = async (end: End): Promise<number> =>
      (await freePorts(1, ADDRESSES[end]))[0] ?? 0;
    const ports = {
      alice: await portOf('alice'),
      bob: await portOf('bob'),
      carol: await portOf('carol'),
    };
    const running = await startLoopbackSbc({
      phone: { address: ADDRESSES.alice, port: ports.alice },
      carrier: { address: ADDRESSES.bob, port: ports.bob },
      host: '127.0.0.1',
      coreHost: '127.0.0.4',
      access: { 'kpml-interworking': 'disabled', refer: 'local', ...options.access },
      core: { 'rfc2833-mode': 'transparent', refer: 'local', ...options.core },
      edit: (yaml) => {
        const text = withCarol(yaml, ports.carol);
        return options.edit?.(text) ?? text;
      },
    });
    await startRelayThread(running);
    shared = { running, ports };
  });
  afterAll(async () => {
    await shared?.running.close();
    shared = undefined;
  });
}

function withCarol(yaml: string, port: number): string {
  const agent = `  - { name: carol, realm: core, address: "${ADDRESSES.carol}:${port}", transport: udp }`;
  const policies = ['access', 'core'].map(
    (realm) => `  - { from-realm: ${realm}, to: "77", next-hop: carol }`,
  );
  return yaml
    .replace('local-policies:', `${agent}\nlocal-policies:`)
    .replace('local-policies:', ['local-policies:', ...policies].join('\n'));
}

/** Opens the ends; closed after the running test, when nothing may be left of its calls. */
export async function openTransferStage(
  options: Partial<Record<End, TrunkOptions>> = {},
): Promise<TransferStage> {
  const running = withoutOldRecords(runningSbc());
  const open = (end: End): Promise<Rfc2833Trunk> => openTransferEnd(end, options[end]);
  const ends = { alice: await open('alice'), bob: await open('bob'), carol: await open('carol') };
  closeAfterTest({
    close: async () => {
      await expectNothingLeft(running);
      expectNoTraces(ends);
    },
  });
  return { running, ...ends };
}

/** No end has been sent anything that names another. */
function expectNoTraces(ends: Readonly<Record<End, Rfc2833Trunk>>): void {
  const all = Object.entries(ends);
  const found = all.flatMap(([name, { sip }]) =>
    all
      .filter(([reader]) => reader !== name)
      .flatMap(([reader, other]) =>
        tracesOf(sip, other.sip).map((token) => `${reader} was shown ${token} of ${name}`),
      ),
  );
  if (found.length > 0) throw new Error(found.join('\n'));
}

/** One of the ends alone; closed after the running test. */
export async function openTransferEnd(end: End, options: TrunkOptions = {}): Promise<Rfc2833Trunk> {
  return closeAfterTest(await Rfc2833Trunk.open({ ...endOptions(end), ...options }));
}

/** A phone without telephone-event in the place of one of the ends. */
export async function openKpmlPhone(end: End): Promise<KpmlPhone> {
  return closeAfterTest(await KpmlPhone.open(endOptions(end)));
}

function endOptions(end: End): { user: string; address: string; port: number } {
  return { user: end, address: ADDRESSES[end], port: shared?.ports[end] ?? 0 };
}

export function runningSbc(): RunningSbc {
  if (shared === undefined) throw new Error('no SBC is shared in this file');
  return shared.running;
}

/** What the sender of a REFER was told: the answer, and the status lines and states of the NOTIFYs. */
export interface Referral {
  readonly answer: SipText;
  /** Status lines, in order. */
  told(): string[];
  /** Resolves with them once the subscription is over. */
  outcome(): Promise<string[]>;
}

/** Sends a REFER and takes the NOTIFYs. */
export async function refer(
  dialog: SipDialog,
  referTo: string,
  headers: readonly Header[] = [],
): Promise<Referral> {
  dialog.handle('NOTIFY', () => ({ status: 200 }));
  const answer = await dialog.request('REFER', { headers: [['Refer-To', referTo], ...headers] });
  const notifies = (): SipText[] =>
    dialog.received.filter(
      ({ startLine, headers: fields }) =>
        startLine.startsWith('NOTIFY') &&
        fields.some(([name, value]) => name === 'Event' && value.startsWith('refer')),
    );
  const told = (): string[] => notifies().map(({ body }) => body.trim());
  const isOver = (): boolean =>
    notifies().some(({ headers: fields }) =>
      fields.some(
        ([name, value]) => name === 'Subscription-State' && value.startsWith('terminated'),
      ),
    );
  return {
    answer,
    told,
    outcome: async () => {
      await waitFor('the last NOTIFY', isOver);
      return told();
    },
  };
}
