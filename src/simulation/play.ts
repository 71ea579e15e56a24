/**
 * Plays one scenario against one configuration: a caller, a callee wherever the SBC calls, and the SBC in between.
 *
 *   caller (Endpoint) ── MemoryNetwork ── SimulatedSbc ── MemoryNetwork ── callee (Endpoint)
 *
 * To be run in virtual time (virtual-thread.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { servesFeatureKeys } from '../config/feature-keys-mode.ts';
import { waitUntil } from '../call/wait-until.ts';
import { nowMs } from '../observe/clock.ts';
import { AgentRegistry } from '../trunk/agent-registry.ts';
import { Endpoint } from './endpoint.ts';
import { MemoryNetwork, placeName, type SipPassage, type SipPlace } from './memory-network.ts';
import { makeReport, type Played } from './make-report.ts';
import type { SimulationReport } from './report.ts';
import { placesOf, SimulatedSbc } from './sbc-rooms.ts';
import type { Scenario, ScenarioEvent } from './scenario.ts';
import type { RecordedPassage } from './seen-messages.ts';
import {
  agentAliases,
  calleeAt,
  callerEnd,
  prepareAgents,
  rtpPortAt,
  ScenarioError,
} from './simulated-ends.ts';

/** Longer than an INVITE may go without an answer. */
const ANSWER_MS = 600_000;
/** Talk behind the last event. */
const TALK_MS = 2000;
const END_MS = 60_000;
/** For what still is under way when the call is over. */
const REST_MS = 1000;

/** @throws ScenarioError when the scenario names what the configuration does not have. */
export async function playScenario(config: Config, scenario: Scenario): Promise<SimulationReport> {
  const play = new Play(config, scenario);
  return play.run();
}

class Play {
  readonly #config: Config;
  readonly #scenario: Scenario;
  readonly #startMs = nowMs();
  readonly #recorded: RecordedPassage[] = [];
  readonly #notes: string[] = [];
  /** What should never happen. */
  readonly #bugs: string[] = [];
  readonly #network: MemoryNetwork;
  /** In the order in which they were called. */
  readonly #callees: Endpoint[] = [];
  readonly #own: ReadonlySet<string>;
  #caller: Endpoint | undefined;

  constructor(config: Config, scenario: Scenario) {
    this.#config = config;
    this.#scenario = scenario;
    this.#own = new Set(config.sipInterfaces.flatMap((item) => placesOf(item).map(placeName)));
    this.#network = new MemoryNetwork({
      latencyMs: scenario.latencyMs,
      aliases: agentAliases(config),
      onArrival: (passage) => this.#record(passage),
      occupy: (place) => this.#occupy(place),
    });
  }

  async run(): Promise<SimulationReport> {
    const config = this.#config;
    const scenario = this.#scenario;
    const agents = new AgentRegistry(config, { nowMs });
    prepareAgents(config, agents, scenario);
    const { place, user, target } = callerEnd(config, agents, scenario.caller);
    const network = this.#network;
    const { features } = scenario;
    if (features.length > 0 && !servesFeatureKeys(config)) {
      throw new ScenarioError('the scenario has feature keys and the configuration serves none');
    }
    if (features.length > 0 && config.featureKeys.applyToCalls === false) {
      this.#notes.push('feature keys do not act on calls: feature-keys.apply-to-calls is false');
    }
    const sbc = await SimulatedSbc.open(config, { network, features, agents, onBug: this.#onBug });
    const rtpPort = rtpPortAt(config, place.host, 0);
    const script = scenario.caller;
    const parts = { place, rtpPort, user, script, network, onBug: this.#onBug };
    const caller = await Endpoint.open(parts);
    this.#caller = caller;
    caller.call(target);
    const events = scenario.events.map((event) => this.#perform(event, caller));
    await waitUntil(() => caller.outcome !== undefined, ANSWER_MS);
    await Promise.all(events);
    if (caller.isTalking) await sleep(TALK_MS);
    await caller.leave();
    await waitUntil(() => !sbc.hasCalls, END_MS);
    await sleep(REST_MS);
    const played = this.#played(sbc, caller);
    await sbc.close();
    for (const end of [caller, ...this.#callees]) end.close();
    return makeReport(scenario, played);
  }

  #played(sbc: SimulatedSbc, caller: Endpoint): Played {
    return {
      startMs: this.#startMs,
      recorded: this.#recorded,
      notes: this.#notes,
      bugs: this.#bugs,
      sbc,
      caller,
      callees: this.#callees,
    };
  }

  async #perform({ atMs, by, action }: ScenarioEvent, caller: Endpoint): Promise<void> {
    await sleep(atMs);
    const end = by === 'caller' ? caller : this.#callee;
    const problem = end === undefined ? 'nobody has been called' : await end.act(action);
    if (problem !== '')
      this.#notes.push(`${by} could not ${action.type} at ${atMs} ms: ${problem}`);
  }

  /** The callee who talks, or the one who was called last. */
  get #callee(): Endpoint | undefined {
    return this.#callees.find((end) => end.isTalking) ?? this.#callees.at(-1);
  }

  readonly #onBug = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#bugs.push(`broken invariant: ${text}`);
  };

  async #occupy(place: SipPlace): Promise<void> {
    const script = calleeAt(this.#config, this.#scenario, place);
    if (script.answers === 'unreachable') return;
    const rtpPort = rtpPortAt(this.#config, place.host, this.#callees.length + 1);
    const end = await Endpoint.open({
      place,
      rtpPort,
      user: 'callee',
      script,
      callee: script,
      network: this.#network,
      onBug: this.#onBug,
    });
    this.#callees.push(end);
  }

  #record(passage: SipPassage): void {
    const isToSbc = this.#own.has(placeName(passage.to));
    const isFromSbc = this.#own.has(placeName(passage.from));
    // A call that the SBC sends to itself is seen in the ladder.
    if (isToSbc === isFromSbc) return;
    const peer = isToSbc ? passage.from : passage.to;
    const caller = this.#caller?.options.place;
    const side =
      caller !== undefined && placeName(caller) === placeName(peer) ? 'caller' : 'callee';
    const direction = isToSbc ? 'in' : 'out';
    this.#recorded.push({ atMs: nowMs() - this.#startMs, passage, side, direction });
  }
}
