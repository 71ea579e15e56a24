import type { Call } from '../call/call.ts';
import type { CallLeg } from '../call/call-leg.ts';
import { SIDES, type Side } from '../wire/side.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointPackets } from './endpoint-media.ts';
import { judge } from './expectations.ts';
import { type EndKeys, keyRows } from './key-rows.ts';
import type { LegReport, SdpDecision, SimulationReport } from './report.ts';
import type { SimulatedSbc } from './sbc-rooms.ts';
import type { Scenario } from './scenario.ts';
import { type RecordedPassage, seenMessages } from './seen-messages.ts';

/** What is left when a call has been played. */
export interface Played {
  readonly startMs: number;
  readonly recorded: readonly RecordedPassage[];
  readonly notes: readonly string[];
  readonly bugs: readonly string[];
  readonly sbc: SimulatedSbc;
  readonly caller: Endpoint;
  readonly callees: readonly Endpoint[];
}

/** Of pino: warn. */
const WARN = 40;

export function makeReport(scenario: Scenario, played: Played): SimulationReport {
  const { sbc, caller, callees, recorded, startMs } = played;
  const [call] = sbc.seen;
  const ends = { caller: [caller], callee: callees };
  const received = seenMessages(recorded);
  const keys = keyRows(
    { caller: keysOf(ends.caller), callee: keysOf(ends.callee) },
    sbc.ledger.list(),
    startMs,
  );
  const decisions = call?.session?.negotiation.decisions ?? [];
  const plan = call?.session?.dtmf.plan;
  const answer = caller.outcome && { ...caller.outcome };
  const facts = { answer, plan, record: sbc.record, received, keys };
  const { failures, expected } = judge(scenario.expect, facts);
  return structuredClone({
    name: scenario.name,
    legs: legsOf(call),
    decisions: decisions.flatMap((record): SdpDecision[] => {
      if (record.type === 'plan') return [];
      const { row, rule, reason } = record.decision;
      return [{ type: record.type, from: record.from, row, rule, reason }];
    }),
    ...facts,
    ladder: ladderOf(sbc),
    packets: { caller: packetsOf(ends.caller), callee: packetsOf(ends.callee) },
    notes: [...played.notes, ...SIDES.flatMap((side) => notesOf(side, ends[side]))],
    warnings: sbc.logLines.filter((line) => isWarning(line)),
    failures: [...played.bugs, ...failures],
    expected: expected + played.bugs.length,
  });
}

/** Of all calls; one that was refused before it became a call is known by its record alone. */
function ladderOf({ seen, ladder, record }: SimulatedSbc): SimulationReport['ladder'] {
  const refused = record === undefined ? [] : [record.callId];
  const callIds = new Set([...seen.map(({ id }) => id), ...refused]);
  return [...callIds].flatMap((callId) => ladder.ladder(callId)?.rows ?? []);
}

function legsOf(call: Call | undefined): SimulationReport['legs'] {
  if (call === undefined) return {};
  const callee = call.session?.legs.callee;
  return {
    caller: legOf(call.caller),
    ...(callee === undefined ? {} : { callee: legOf(callee) }),
  };
}

function legOf({ sipInterface, realm, agent, remote, settings }: CallLeg): LegReport {
  return {
    sipInterface: sipInterface.name,
    realm: realm.name,
    agent: agent?.name,
    remote,
    settings,
  };
}

function keysOf(ends: readonly Endpoint[]): EndKeys {
  return {
    pressed: ends.flatMap(({ keys }) => keys.pressed),
    heard: ends.flatMap(({ keys }) => keys.heard),
  };
}

function packetsOf(ends: readonly Endpoint[]): EndpointPackets {
  const sum = (pick: (packets: EndpointPackets) => number): number =>
    ends.reduce((total, { media }) => total + pick(media.packets), 0);
  return { sent: sum(({ sent }) => sent), received: sum(({ received }) => received) };
}

function notesOf(side: Side, ends: readonly Endpoint[]): string[] {
  return ends.flatMap(({ keys }) => keys.notes.map((note) => `${side}: ${note}`));
}

function isWarning(line: string): boolean {
  const entry: unknown = JSON.parse(line);
  return (
    typeof entry === 'object' && entry !== null && 'level' in entry && Number(entry.level) >= WARN
  );
}
