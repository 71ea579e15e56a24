/**
 * Calls on an engine whose control goes wrong in one of seven ways: after each request the outcome must be the right
 * one, or a failure with a name that fits what went wrong.
 */

import { NgNode } from '../../src/media/rtpengine/ng-node.ts';
import type { EngineNode, EngineResult } from '../../src/media/rtpengine/rtpengine-node.ts';
import type { BencodeDictionary } from './bencode.ts';
import { bencode, textOf } from './bencode.ts';
import { type NgFault, type NgRequest, NgServer } from './ng-server.ts';
import { sleep, waitFor } from './wait-for.ts';

const MOST_AT_ONCE = 50;
/** Each line of calls makes so many, or there would be no time for anything to go wrong. */
const REQUESTS_PER_LINE = 5;
const STEPS = ['offer', 'answer', 'query', 'play DTMF', 'delete'] as const;
type Step = (typeof STEPS)[number];

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
/** Behind the deadline of a request, wherever its last repetition is. */
const LATE_MS = 1700;
/** Of 1000 requests over a network that loses 20 % both ways, 17 are expected to get through in none of four attempts. */
const LOST_AT_MOST = 0.06;

export const NG_FAULTS = [
  'loss',
  'repeats',
  'late',
  'garbage',
  'restart',
  'errors',
  'all',
] as const;
export type NgFaultName = (typeof NG_FAULTS)[number];

export interface NgFaultReport {
  readonly fault: NgFaultName;
  readonly requests: number;
  readonly seconds: number;
  /** `ok` and the names of failures, how often each. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

/** Answers of an engine that refuses, and what each is to become. */
const ERRORS: readonly (readonly [BencodeDictionary, string])[] = [
  [{ result: 'error', 'error-reason': 'Unknown call-id' }, 'engine-error'],
  [{ result: 'error', 'error-reason': 'Ran out of ports' }, 'no-ports'],
  [{ result: 'error', 'error-reason': 'Parallel session limit reached' }, 'overload'],
  [{ result: 'error' }, 'engine-error'],
  [{ result: 'load limit', message: 'CPU usage limit exceeded' }, 'overload'],
  [{ result: 'nonsense' }, 'bad-answer'],
  [{}, 'bad-answer'],
  [{ result: ['ok'] }, 'bad-answer'],
];

const MAY_FAIL: Readonly<Record<NgFaultName, readonly string[]>> = {
  loss: ['timeout'],
  repeats: [],
  late: ['timeout', 'node-down'],
  garbage: [],
  restart: ['timeout', 'node-down', 'engine-error'],
  errors: ['engine-error', 'no-ports', 'overload', 'bad-answer'],
  all: ['timeout', 'node-down', 'engine-error', 'no-ports', 'overload', 'bad-answer'],
};

/** Makes about `requests` requests while `fault` is at work. */
export async function runNgFault(fault: NgFaultName, requests: number): Promise<NgFaultReport> {
  const server = await NgServer.start();
  const node = await NgNode.open({ host: server.host, port: server.port });
  const run = new Run(fault, node, server);
  const startMs = performance.now();
  try {
    await run.make(requests);
  } finally {
    await node.close();
    await server.close();
  }
  return {
    fault,
    requests: run.made,
    seconds: (performance.now() - startMs) / 1000,
    outcomes: run.outcomes,
    problems: run.problems(),
  };
}

class Run {
  made = 0;
  readonly outcomes = new Map<string, number>();
  readonly #fault: NgFaultName;
  readonly #node: EngineNode;
  readonly #server: NgServer;
  readonly #problems: string[] = [];
  /** What is done to a cookie is decided once. */
  readonly #fates = new Map<string, NgFaultName>();
  #calls = 0;

  constructor(fault: NgFaultName, node: EngineNode, server: NgServer) {
    this.#fault = fault;
    this.#node = node;
    this.#server = server;
    server.fault = (request) => this.#misbehave(request);
  }

  async make(requests: number): Promise<void> {
    const isDone = (): boolean => this.made >= requests;
    const atOnce = Math.min(MOST_AT_ONCE, Math.ceil(requests / REQUESTS_PER_LINE));
    const lines = Array.from({ length: atOnce }, async () => {
      while (!isDone()) await this.#call(isDone);
    });
    const restarts = this.#restarts(isDone);
    await Promise.all(lines);
    await restarts;
  }

  problems(): readonly string[] {
    const { outcomes } = this;
    if (this.#fault === 'loss' && (outcomes.get('timeout') ?? 0) > this.made * LOST_AT_MOST) {
      this.#problems.push(`${outcomes.get('timeout')} of ${this.made} requests were lost`);
    }
    const isRestarted = this.#fault === 'restart' || this.#fault === 'all';
    for (const times of this.#server.carriedOut.values()) {
      if (times > 1 && !isRestarted) this.#problems.push('a request was carried out twice');
    }
    if ((outcomes.get('ok') ?? 0) === 0) this.#problems.push('nothing succeeded');
    return this.#problems;
  }

  async #call(isDone: () => boolean): Promise<void> {
    this.#calls += 1;
    const callId = `call-${this.#calls}`;
    for (const step of STEPS) {
      if (isDone()) return;
      this.made += 1;
      const result = await this.#request(step, callId);
      const outcome = result.type === 'ok' ? 'ok' : result.reason;
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      this.#judge(step, callId, result);
      if (outcome === 'node-down') await waitFor('the node to be up again', () => this.#node.isUp);
      if (outcome !== 'ok' && step === 'offer') return;
      // The restarts need some time to fall into.
      if (this.#fault === 'restart' || this.#fault === 'all') await sleep(Math.random() * 200);
    }
  }

  async #request(step: Step, callId: string): Promise<EngineResult & { readonly sdp?: string }> {
    const request = { 'call-id': callId, 'from-tag': 'a' };
    switch (step) {
      case 'offer':
        return await this.#node.offer({ ...request, sdp: SDP });
      case 'answer':
        return await this.#node.answer({ ...request, 'to-tag': 'b', sdp: SDP });
      case 'query':
        return await this.#node.query(request);
      case 'play DTMF':
        return await this.#node.playDtmf({ ...request, code: '5' });
      case 'delete':
        break;
    }
    return await this.#node.delete(request);
  }

  #judge(step: Step, callId: string, result: EngineResult & { readonly sdp?: string }): void {
    const isScripted = this.#fault === 'errors' ? errorFor(step, callId) : undefined;
    const expected = isScripted?.[1];
    if (result.type === 'failed') {
      const isRight =
        expected === undefined ? this.#mayFail(result.reason) : result.reason === expected;
      if (!isRight) this.#problem(step, `failed with ${result.reason}: ${result.detail}`);
      return;
    }
    if (expected !== undefined) this.#problem(step, `succeeded instead of ${expected}`);
    const sdp = SDP.replace('s=-', `s=${step} ${callId}`);
    const isSdp = step === 'offer' || step === 'answer';
    if (isSdp && result.sdp !== sdp) this.#problem(step, 'got the SDP of another');
    const isOther = step === 'query' && result.answer['call-id'] !== callId;
    if (isOther) this.#problem(step, 'got the answer of another');
  }

  #mayFail(reason: string): boolean {
    return MAY_FAIL[this.#fault].includes(reason);
  }

  #problem(step: Step, what: string): void {
    this.#problems.push(`${step} ${what}`);
  }

  async #restarts(isDone: () => boolean): Promise<void> {
    if (this.#fault !== 'restart' && this.#fault !== 'all') return;
    for (let round = 0; !isDone(); round += 1) {
      await sleep(150);
      await this.#server.stop();
      // In turn: within the repetitions of a request, and long enough for the node to count as down.
      await sleep(round % 3 === 1 ? 2000 : 150);
      await this.#server.startAgain();
    }
  }

  #misbehave(request: NgRequest): NgFault {
    const { cookie, command } = request;
    if (command === 'ping') return { type: 'none' };
    const fate = this.#fates.get(cookie) ?? this.#decide();
    this.#fates.set(cookie, fate);
    switch (fate) {
      case 'loss':
        if (chance(0.2)) return { type: 'lose-request' };
        return chance(0.2) ? { type: 'lose-answer' } : { type: 'none' };
      case 'repeats':
        return { type: 'repeat', times: 2 + Math.floor(Math.random() * 3) };
      case 'late':
        return chance(0.5) || request.attempt > 1
          ? { type: 'delay', ms: LATE_MS }
          : { type: 'none' };
      case 'garbage':
        return garbage(request, this.#server);
      case 'errors':
        return scriptedError(request);
      case 'restart':
      case 'all':
        break;
    }
    return { type: 'none' };
  }

  #decide(): NgFaultName {
    if (this.#fault !== 'all') return this.#fault;
    return NG_FAULTS[Math.floor(Math.random() * NG_FAULTS.length)] ?? 'loss';
  }
}

/** Rubbish before, in place of, and in the name of the answer; the real one comes with the next repetition at the latest. */
function garbage({ cookie, attempt }: NgRequest, server: NgServer): NgFault {
  const port = server.clientPort;
  server.say(`${cookie} ${rubbish()}`, port);
  server.say(rubbish(), port);
  server.say(`${cookie} d1:al-3:ee`, port);
  server.say(`${'0'.repeat(36)} ${bencode({ result: 'ok' })}`, port);
  if (attempt === 1 && chance(0.1)) return { type: 'as', datagrams: [''] };
  return { type: 'from-elsewhere', answer: { result: 'error', 'error-reason': 'spoofed' } };
}

function rubbish(): string {
  return Array.from({ length: 60 }, () =>
    String.fromCodePoint(Math.floor(Math.random() * 128)),
  ).join('');
}

function scriptedError({ command, request }: NgRequest): NgFault {
  const answer = errorFor(command, textOf(request['call-id']))?.[0];
  return answer === undefined ? { type: 'none' } : { type: 'say', answer };
}

/** About a third of all requests are refused, each always in the same way. */
function errorFor(step: string, callId: string): (typeof ERRORS)[number] | undefined {
  let sum = 0;
  for (const character of `${callId} ${step}`)
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return sum % 3 === 0 ? ERRORS[sum % ERRORS.length] : undefined;
}

function chance(probability: number): boolean {
  return Math.random() < probability;
}
