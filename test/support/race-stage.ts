/**
 * Many calls through one SBC, each a race of messages, and what all of them left behind:
 *
 *   alice ── access [SBC] core ── bob          call n is dialled to user n, so that bob knows which race it is
 */

import type { CdrRecord } from '../../src/observe/cdr.ts';
import type { PortRange } from './free-ports.ts';
import { buildSdp } from './sdp-text.ts';
import type { IncomingCall, OutgoingCall } from './sip-calls.ts';
import { SipPeer } from './sip-peer.ts';
import type { SipPeerOptions } from './sip-peer.ts';
import { formatSipText, statusOf } from './sip-text.ts';
import type { SipText } from './sip-text.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc } from './start-sbc.ts';
import { sleep, waitFor } from './wait-for.ts';

export interface RaceStageOptions {
  readonly alice?: SipPeerOptions;
  readonly bob?: SipPeerOptions;
  /** Calls at a time. */
  readonly concurrency: number;
  /** Last change to the configuration text. */
  readonly edit?: (yaml: string) => string | Promise<string>;
  /** True: calls may end for the SBC alone, as nothing reaches the peers for a while. */
  readonly leavesLegs?: boolean;
  /** Ports for the media of all calls, in place of some that are found. */
  readonly mediaRange?: PortRange;
}

/** What the callee of call `n` does. */
export type CalleeScript = (incoming: IncomingCall, n: number) => Promise<unknown>;
/** What the caller of call `n` does, from its INVITE to its end. */
export type CallerScript = (outgoing: OutgoingCall, n: number) => Promise<unknown>;

/** How a race ended. */
export interface RaceReport {
  readonly name: string;
  readonly calls: number;
  /** Records by release side, cause and status. */
  readonly causes: ReadonlyMap<string, number>;
  /** What should not be, empty if all is well. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** Longer than 64·T1 and the guards of the SBC behind it. */
const SETTLE_MS = 40_000;
const MOST_PROBLEMS = 8;
const WARM_UP_CALLS = 30;
const LEAST_MEDIA_PORTS = 128;

export class RaceStage {
  readonly running: RunningSbc;
  readonly alice: SipPeer;
  readonly bob: SipPeer;
  readonly outgoing: OutgoingCall[] = [];
  readonly problems: string[] = [];
  readonly #concurrency: number;
  readonly #leavesLegs: boolean;
  readonly #startedMs = performance.now();
  #isOver = false;

  private constructor(
    running: RunningSbc,
    ends: { readonly alice: SipPeer; readonly bob: SipPeer },
    options: RaceStageOptions,
  ) {
    this.running = running;
    this.alice = ends.alice;
    this.bob = ends.bob;
    this.#concurrency = options.concurrency;
    this.#leavesLegs = options.leavesLegs ?? false;
  }

  static async open(options: RaceStageOptions): Promise<RaceStage> {
    const { concurrency, alice: aliceOptions, bob: bobOptions, ...sbc } = options;
    const alice = await SipPeer.open({ user: 'alice', ...aliceOptions });
    const bob = await SipPeer.open({ user: 'bob', ...bobOptions });
    const running = await startLoopbackSbc({
      phone: alice,
      carrier: bob,
      mediaPorts: Math.max(LEAST_MEDIA_PORTS, 6 * concurrency),
      leavesCalls: true,
      ...sbc,
      logsErrors: true,
    }).catch(async (error: unknown) => {
      await Promise.all([alice.close(), bob.close()]);
      throw error;
    });
    return new RaceStage(running, { alice, bob }, options);
  }

  /** Runs `count` calls, so many at a time as the stage allows; resolves when nothing moves any more. */
  async run(
    count: number,
    { caller, callee }: { readonly caller: CallerScript; readonly callee: CalleeScript },
  ): Promise<void> {
    this.#isOver = false;
    const serving = this.#serve(callee);
    let next = 0;
    const line = async (): Promise<void> => {
      for (let n = next++; n < count; n = next++) {
        const outgoing = this.dial(n);
        await this.#noting(n, caller(outgoing, n));
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, this.#concurrency) }, line));
    await this.#settle();
    this.#isOver = true;
    await serving;
  }

  /** Plain calls, so that the first ones of a race are as quick as the last. */
  async warmUp(): Promise<void> {
    await this.run(WARM_UP_CALLS, {
      caller: async (outgoing) => {
        await outgoing.answered();
        await outgoing.dialog.bye();
      },
      callee: (incoming) => incoming.answer({ body: offerOf(this.bob) }),
    });
  }

  /** Places call `n`. */
  dial(n: number): OutgoingCall {
    const { access: via } = this.running;
    const body = offerOf(this.alice);
    const call = this.alice.invite({ to: String(n), via, body });
    this.outgoing.push(call);
    return call;
  }

  /** Sends a message of one end some time later. */
  post(end: 'alice' | 'bob', message: SipText, delayMs: number): void {
    const to = end === 'alice' ? this.running.access : this.running.core;
    setTimeout(() => this[end].sendRaw(formatSipText(message), to), delayMs);
  }

  /** Waits until nothing moves, and says what is left of all calls; closes everything. */
  async report(name: string, allowed: RegExp, isErrorFree = true): Promise<RaceReport> {
    const { errors } = this.running;
    await this.#settle();
    const records = (await this.#allRecords()).map(({ release }) => release);
    const causes = new Map<string, number>();
    for (const { side, internalCode, sipCode } of records) {
      const cause = `${side} ${internalCode} ${sipCode}`;
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
      if (!allowed.test(cause)) this.problems.push(`a call ended with ${cause}`);
    }
    const calls = this.outgoing.length;
    if (records.length !== calls && !this.#leavesLegs)
      this.problems.push(`${records.length} records of ${calls} calls`);
    this.problems.push(...this.#left());
    if (isErrorFree) this.problems.push(...errors.map((line) => `logged: ${line.slice(0, 300)}`));
    const bugs = await this.#bugs();
    if (bugs !== 0) this.problems.push(`${bugs} broken invariants`);
    await this.running.close().catch((error: unknown) => this.problems.push(String(error)));
    await Promise.all([this.alice.close(), this.bob.close()]);
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return { name, calls, causes, problems: this.problems.slice(0, MOST_PROBLEMS), seconds };
  }

  async #serve(callee: CalleeScript): Promise<void> {
    const scripts: Promise<void>[] = [];
    const first = this.bob.incoming.length;
    while (!this.#isOver) {
      for (const incoming of this.bob.incoming.slice(first + scripts.length)) {
        const n = Number(/^INVITE sips?:(\d+)@/.exec(incoming.invite.startLine)?.[1]);
        scripts.push(this.#noting(n, callee(incoming, n)));
      }
      await sleep(1);
    }
    await Promise.all(scripts);
  }

  async #noting(n: number, script: Promise<unknown>): Promise<void> {
    try {
      await script;
    } catch (error) {
      this.problems.push(`call ${n}: ${String(error).split('\n')[0] ?? ''}`);
    }
  }

  async #settle(): Promise<void> {
    const wait = { timeoutMs: SETTLE_MS };
    await waitFor('end', () => this.#left().length === 0, wait).catch(() => undefined);
  }

  /** Legs that one end believes in, and what the SBC holds. */
  #left(): string[] {
    const { sbc, yaml } = this.running;
    const subscriptions = sbc.calls.countSubscriptions().reduce((sum, { count }) => sum + count, 0);
    const ports = Object.entries(sbc.media.portsFree).map(([realm, free]): [string, number] => [
      `port pairs of ${realm} held`,
      pairsOf(yaml, realm) - free,
    ]);
    const legs: [string, number][] = [
      ['calls of alice without final answer', this.outgoing.filter((call) => !call.final).length],
      ['ghost legs at alice', this.outgoing.filter((call) => isGhost(call)).length],
      ['ghost legs at bob', this.bob.incoming.filter(({ dialog }) => !dialog.isEnded).length],
    ];
    const counts: [string, number][] = [
      ...(this.#leavesLegs ? [] : legs),
      ['calls held', sbc.calls.size],
      ['dialogs held', sbc.stack.dialogCount],
      ['subscriptions held', subscriptions],
      ...ports,
    ];
    return counts.filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`);
  }

  async #allRecords(): Promise<CdrRecord[]> {
    let records: unknown[] = [];
    const deadlineMs = performance.now() + 5000;
    do {
      await sleep(200);
      records = await this.running.cdrs();
    } while (records.length < this.outgoing.length && performance.now() < deadlineMs);
    return records.filter((record) => isRecord(record));
  }

  async #bugs(): Promise<number> {
    const { address, port } = this.running.api;
    const text = await (await fetch(`http://${address}:${port}/metrics`)).text();
    return Number(/^sbc_bugs_total (\d+)$/m.exec(text)?.[1] ?? 0);
  }
}

/** An offer of a peer without media. */
export function offerOf(peer: SipPeer): string {
  return buildSdp({ address: peer.address, rtpPort: 40_000 });
}

function isGhost({ final, dialog }: OutgoingCall): boolean {
  return final !== undefined && statusOf(final) === 200 && !dialog.isEnded;
}

/** Port pairs of a realm as the configuration has them. */
function pairsOf(yaml: string, realm: string): number {
  const range = new RegExp(`name: ${realm},.* port-min: (\\d+), port-max: (\\d+)`).exec(yaml);
  return (Number(range?.[2]) - Number(range?.[1]) + 1) / 2;
}

function isRecord(record: unknown): record is CdrRecord {
  return typeof record === 'object' && record !== null && 'release' in record;
}
