/** SIPp as the caller of more calls than an SBC can take: which were served, which refused, what had to be repeated. */
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { ownedFolder, startOwned } from './owned.ts';
import { commonArguments, lastRow, ownPorts, readText } from './sipp-load.ts';

export interface HeavyLoad {
  readonly callsPerSecond: number;
  readonly seconds: number;
  readonly holdMs: number;
  readonly to: SipTarget;
}

export interface HeavyResult {
  readonly calls: number;
  /** Calls that got their 200, their BYE and its 200, per second of the load. */
  readonly servedPerSecond: number;
  /** In the worst second. */
  readonly leastServedPerSecond: number;
  readonly refused: number;
  /** Neither served nor refused. */
  readonly failed: number;
  readonly inviteRepeats: number;
  readonly byeRepeats: number;
}

const ANSWER_LIMIT_MS = 8000;
/** The first second of a step starts from nothing, and the last is cut short. */
const EDGE_SECONDS = 1;

/** Places the calls from `address` and waits until all are over. */
export async function placeRefusable(load: HeavyLoad, address: string): Promise<HeavyResult> {
  const folder = ownedFolder();
  const calls = Math.ceil(load.callsPerSecond * load.seconds);
  const at = { address, ...(await ownPorts(address)) };
  const limitSeconds = Math.ceil(load.seconds + (load.holdMs + 4 * ANSWER_LIMIT_MS) / 1000);
  const caller = startOwned(
    'sipp',
    [
      [`${load.to.address}:${load.to.port}`, '-s', '100'],
      commonArguments('uac-refusable', at),
      ['-r', String(load.callsPerSecond), '-m', String(calls), '-l', String(calls)],
      ['-d', String(load.holdMs), '-recv_timeout', String(ANSWER_LIMIT_MS)],
      ['-timeout', `${limitSeconds}s`],
      ['-trace_stat', '-stf', 'statistics.csv', '-fd', '1'],
      ['-trace_counts'],
    ].flat(),
    folder,
  );
  const exitCode = await caller.exited;
  const statistics = readText(folder, 'statistics.csv');
  const last = lastRow(statistics);
  if (last.size === 0) throw new Error(`SIPp ended with ${exitCode}\n${caller.output()}`);
  const counts = lastRow(readText(folder, `uac-refusable_${caller.pid}_counts.csv`));
  const count = (name: RegExp): number => {
    const [value = 0] = [...counts].flatMap(([key, text]) =>
      name.test(key) ? [Number(text)] : [],
    );
    return value;
  };
  const refused = count(/_503_Recv$/);
  const succeeded = Number(last.get('SuccessfulCall(C)')) - refused;
  return {
    calls: Number(last.get('TotalCallCreated')),
    servedPerSecond: succeeded / load.seconds,
    leastServedPerSecond: leastServed(
      readText(folder, `uac-refusable_${caller.pid}_counts.csv`),
      load.seconds,
    ),
    refused,
    failed: Number(last.get('FailedCall(C)')),
    inviteRepeats: count(/_INVITE_Retrans$/),
    byeRepeats: count(/_BYE_Retrans$/),
  };
}

/** BYEs sent in the second that had fewest; a row of the counts comes each second, its numbers from the start on. */
function leastServed(csv: string, seconds: number): number {
  const [names = '', ...rows] = csv.trimEnd().split('\n');
  const column = names.split(';').findIndex((name) => name.endsWith('_BYE_Sent'));
  const totals = rows.map((row) => Number(row.split(';')[column]));
  const perSecond = totals.slice(1).map((total, index) => total - (totals[index] ?? 0));
  return Math.min(...perSecond.slice(EDGE_SECONDS, Math.floor(seconds) - EDGE_SECONDS));
}
