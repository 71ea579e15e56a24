/** SIPp as caller and as callee of many calls, and what it saw of them. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, isUdpFree } from '../../test/support/free-ports.ts';
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { sleep } from '../../test/support/wait-for.ts';
import { ownedFolder, startOwned, type OwnedProcess } from './owned.ts';

const SCENARIOS = fileURLToPath(new URL('../sipp/', import.meta.url));
/** A call that hangs for this long has failed. */
const ANSWER_LIMIT_MS = 8000;
/** SIPp ends itself then, should nobody do it. */
const CALLEE_LIMIT_SECONDS = 1800;

export interface Load {
  readonly callsPerSecond: number;
  readonly calls: number;
  readonly holdMs: number;
  readonly to: SipTarget;
}

export interface LoadResult {
  /** Calls begun. */
  readonly calls: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Rate at which the calls really began. */
  readonly callsPerSecond: number;
  /** First INVITE to its 200, one per answered call, ascending. */
  readonly setupMs: readonly number[];
}

export function hasSipp(): boolean {
  return spawnSync('sipp', ['-v'], { stdio: 'ignore' }).error === undefined;
}

export interface Callee {
  readonly at: SipTarget;
  readonly process: OwnedProcess;
}

/** Starts a SIPp that answers every call at once; resolves when it listens. */
export async function startCallee(address: string): Promise<Callee> {
  const at = { address, ...(await ownPorts(address)) };
  const process = startOwned(
    'sipp',
    [...commonArguments('uas', at), '-timeout', `${CALLEE_LIMIT_SECONDS}s`],
    ownedFolder(),
  );
  while (await isUdpFree(at.port, address)) await sleep(10);
  return { at, process };
}

/** Starts a SIPp that places `load.calls` calls from `address`. */
export async function startCaller(
  load: Load,
  address: string,
  folder = ownedFolder(),
): Promise<OwnedProcess> {
  return startOwned('sipp', callerArguments(load, address, await ownPorts(address)), folder);
}

/** Places `load.calls` calls from `address` and waits until all are over. */
export async function placeCalls(load: Load, address: string): Promise<LoadResult> {
  const folder = ownedFolder();
  const caller = await startCaller(load, address, folder);
  const exitCode = await caller.exited;
  const statistics = lastRow(readText(folder, 'statistics.csv'));
  if (statistics.size === 0) throw new Error(`SIPp ended with ${exitCode}\n${caller.output()}`);
  const { setupMs, callsPerSecond } = readTrace(readText(folder, 'messages.csv'));
  return {
    calls: Number(statistics.get('TotalCallCreated')),
    failed: Number(statistics.get('FailedCall(C)')),
    retransmissions: Number(statistics.get('Retransmissions(C)')),
    callsPerSecond,
    setupMs,
  };
}

export interface OwnPorts {
  readonly port: number;
  readonly controlPort: number;
  readonly mediaPort: number;
}

export async function ownPorts(address: string): Promise<OwnPorts> {
  const [port = 0, controlPort = 0, mediaPort = 0] = await freePorts(3, address);
  return { port, controlPort, mediaPort };
}

export function commonArguments(scenario: string, at: SipTarget & OwnPorts): string[] {
  return [
    ['-sf', join(SCENARIOS, `${scenario}.xml`), '-nostdin', '-bind_local', '-timer_resol', '1'],
    ['-i', at.address, '-p', String(at.port), '-mi', at.address, '-mp', String(at.mediaPort)],
    ['-ci', at.address, '-cp', String(at.controlPort)],
  ].flat();
}

function callerArguments(load: Load, address: string, ports: OwnPorts): string[] {
  const limitMs = (load.calls / load.callsPerSecond) * 1000 + load.holdMs + 2 * ANSWER_LIMIT_MS;
  return [
    [`${load.to.address}:${load.to.port}`, '-s', '100'],
    commonArguments('uac', { address, ...ports }),
    ['-r', String(load.callsPerSecond), '-m', String(load.calls), '-l', String(load.calls)],
    ['-d', String(load.holdMs), '-recv_timeout', String(ANSWER_LIMIT_MS)],
    ['-timeout', `${Math.ceil(limitMs / 1000)}s`],
    ['-trace_stat', '-stf', 'statistics.csv'],
    ['-trace_shortmsg', '-shortmessage_file', 'messages.csv', '-shortmessage_overwrite', 'true'],
  ].flat();
}

export function readText(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return '';
  }
}

/** Names of the first row with the values of the last. */
export function lastRow(csv: string): Map<string, string> {
  const rows = csv.trimEnd().split('\n');
  const values = rows.at(-1)?.split(';') ?? [];
  if (rows.length < 2) return new Map();
  return new Map(rows[0]?.split(';').map((name, index) => [name, values[index] ?? '']));
}

/**
 * Set-up delays from SIPp's list of messages. Its own response times are whole milliseconds; here a
 * row is `date, time, seconds, S or R, Call-ID, CSeq, start line`, separated by tabs, in microseconds.
 */
function readTrace(rows: string): Pick<LoadResult, 'setupMs' | 'callsPerSecond'> {
  const invitedMs = new Map<string, number>();
  const setupMs = new Map<string, number>();
  for (const row of rows.split('\n')) {
    const [, , seconds, direction, callId, cseq, startLine] = row.split('\t');
    if (callId === undefined || cseq?.endsWith(' INVITE') !== true) continue;
    const atMs = Number(seconds) * 1000;
    const beganMs = invitedMs.get(callId);
    if (direction === 'S' && beganMs === undefined) invitedMs.set(callId, atMs);
    const isAnswer = direction === 'R' && startLine?.startsWith('SIP/2.0 200') === true;
    if (isAnswer && beganMs !== undefined && !setupMs.has(callId)) {
      setupMs.set(callId, atMs - beganMs);
    }
  }
  const begins = [...invitedMs.values()];
  const spanMs = (begins.at(-1) ?? 0) - (begins[0] ?? 0);
  return {
    setupMs: [...setupMs.values()].toSorted((a, b) => a - b),
    callsPerSecond: spanMs > 0 ? ((begins.length - 1) * 1000) / spanMs : 0,
  };
}

/** The value below which `share` (0 to 1) of the ascending `values` lie; 0 when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const index = Math.min(values.length - 1, Math.floor(values.length * share));
  return values[index] ?? 0;
}
