/**
 * Asks the session agents with `options-ping` whether they are there: one timer per agent, the verdict is agent-health's.
 *
 *   |-- interval, give or take a tenth --|
 *   OPTIONS                              OPTIONS
 *   |---- timeout ---|                           an answer behind it counts no more
 */
import type { Config, OptionsPing, SessionAgent } from '../config/config.ts';
import type { PingAnswer } from '../sip/options-ping.ts';
import { formatSipUri } from '../wire/sip-uri.ts';
import { jitteredMs } from './agent-health.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { nextHopOfAgent } from './hop-uri.ts';
import { interfaceFor } from './interface-choice.ts';

/** An agent is asked this soon after the start, at a random moment, so that not all are asked at once. */
const FIRST_PING_MS = 2000;

export interface AgentPingerOptions {
  readonly agents: Pick<AgentRegistry, 'report'>;
  readonly ping: (request: {
    readonly interfaceName: string;
    readonly uri: string;
    readonly nextHop: string;
    readonly agent: SessionAgent;
  }) => Promise<PingAnswer>;
  readonly onAnswer: (agentName: string, rttMs: number) => void;
  readonly nowMs: () => number;
  /** 0 up to but not including 1. */
  readonly random: () => number;
}

interface Round {
  readonly agent: SessionAgent;
  readonly optionsPing: OptionsPing;
  readonly interfaceName: string;
  /** Until the next OPTIONS. */
  timer: NodeJS.Timeout | undefined;
  /** While an answer is awaited. */
  patience: NodeJS.Timeout | undefined;
}

export class AgentPinger {
  readonly #options: AgentPingerOptions;
  readonly #rounds = new Map<string, Round>();
  #isStopped = false;

  constructor(options: AgentPingerOptions) {
    this.#options = options;
  }

  /** Takes over a configuration; agents that stay as they are keep their rhythm. */
  apply(config: Config): void {
    if (this.#isStopped) return;
    const wanted = new Map(config.sessionAgents.map((agent) => [agent.name, agent]));
    for (const [name, round] of this.#rounds) {
      const agent = wanted.get(name);
      if (isSameAgent(round.agent, agent) && isSameWay(config, round)) continue;
      clearRound(round);
      this.#rounds.delete(name);
    }
    for (const agent of wanted.values()) {
      if (!this.#rounds.has(agent.name)) this.#begin(config, agent);
    }
  }

  /** No OPTIONS any more; `apply` does nothing from now on. */
  stop(): void {
    this.#isStopped = true;
    for (const round of this.#rounds.values()) clearRound(round);
    this.#rounds.clear();
  }

  #begin(config: Config, agent: SessionAgent): void {
    const { optionsPing } = agent;
    const sipInterface = interfaceFor(config, agent.realm, agent);
    if (optionsPing === undefined || sipInterface === undefined) return;
    const round: Round = {
      agent,
      optionsPing,
      interfaceName: sipInterface.name,
      timer: undefined,
      patience: undefined,
    };
    this.#rounds.set(agent.name, round);
    const latestMs = Math.min(optionsPing.intervalMs, FIRST_PING_MS);
    this.#wait(round, latestMs * this.#options.random());
  }

  #wait(round: Round, delayMs: number): void {
    round.timer = setTimeout(() => {
      const { intervalMs } = round.optionsPing;
      this.#wait(round, jitteredMs(intervalMs, this.#options.random()));
      this.#ask(round);
    }, delayMs);
    round.timer.unref();
  }

  #ask(round: Round): void {
    const { agents, ping, nowMs, onAnswer } = this.#options;
    const { agent, optionsPing, interfaceName } = round;
    const { name } = agent;
    const atMs = nowMs();
    let isOpen = true;
    const settle = (answer: PingAnswer): void => {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(patience);
      // The agent is gone or another one now, or we ourselves had no engine to ask with.
      if (this.#rounds.get(name) !== round || answer.type === 'notAsked') return;
      if (answer.type === 'answer') {
        const rttMs = nowMs() - atMs;
        onAnswer(name, rttMs);
        agents.report(name, { ...answer, by: 'ping' }, { atMs, status: answer.status, rttMs });
        return;
      }
      const nothing = { atMs, status: undefined, rttMs: undefined };
      agents.report(name, { ...answer, by: 'ping' }, nothing);
    };
    const patience = setTimeout(() => settle({ type: 'silence' }), optionsPing.timeoutMs);
    patience.unref();
    clearTimeout(round.patience);
    round.patience = patience;
    void ping({ agent, interfaceName, uri: uriOf(agent), nextHop: nextHopOfAgent(agent) }).then(
      settle,
    );
  }
}

function clearRound({ timer, patience }: Round): void {
  clearTimeout(timer);
  clearTimeout(patience);
}

function uriOf({ host, port }: SessionAgent): string {
  return formatSipUri({
    scheme: 'sip',
    host,
    ...(port === undefined ? {} : { port }),
    parameters: new Map(),
  });
}

function isSameAgent(known: SessionAgent, wanted: SessionAgent | undefined): boolean {
  return wanted !== undefined && keyOf(known) === keyOf(wanted);
}

/** Whether the agent is still reached from the interface that asks it. */
function isSameWay(config: Config, { agent, interfaceName }: Round): boolean {
  return interfaceFor(config, agent.realm, agent)?.name === interfaceName;
}

/** What a ping depends on. */
function keyOf(agent: SessionAgent): string {
  const { realm, host, port, transport, isTransportFixed, optionsPing, auth } = agent;
  return JSON.stringify([realm, host, port, transport, isTransportFixed, optionsPing, auth]);
}
