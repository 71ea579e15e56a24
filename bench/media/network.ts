/**
 * Two network namespaces joined by one veth pair, removed in any case: both peers of every call on the one side, the
 * relay under test on the other.
 *
 *   load   10.66.0.1 (callers), 10.66.0.2 (callees)  ---- veth ----  10.66.0.10  relay
 *
 * What the load reads from its device goes no further: its own UDP would answer with ICMP.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const PREFIX = 'tbbench';
const NAMESPACES = '/run/netns';
/** Own ports of peers and relays begin here. */
export const FIRST_PORT = 10_000;

export interface LoadNetwork {
  /** Namespace of the peers, and its device. */
  readonly load: NetworkEnd;
  /** Namespace of the relay, and its device. */
  readonly relay: NetworkEnd;
  readonly callerAddress: string;
  readonly calleeAddress: string;
  readonly relayAddress: string;
  close(): void;
}

export interface NetworkEnd {
  readonly space: string;
  readonly device: string;
  readonly mac: string;
}

/** @throws Error where namespaces, veth or nft are not to be had. */
export function openNetwork(): LoadNetwork {
  removeAbandoned();
  const own = `${PREFIX}-${process.pid}`;
  const load = { space: `${own}-load`, device: `tbl${process.pid}` };
  const relay = { space: `${own}-relay`, device: `tbr${process.pid}` };
  const [callerAddress, calleeAddress, relayAddress] = ['10.66.0.1', '10.66.0.2', '10.66.0.10'];
  const close = (): void => {
    for (const { space } of [load, relay]) remove(space);
  };
  process.on('exit', close);
  for (const { space } of [load, relay]) ip('netns', 'add', space);
  // oxfmt-ignore
  ip('link', 'add', load.device, 'netns', load.space, 'type', 'veth', 'peer', 'name', relay.device, 'netns', relay.space);
  for (const address of [callerAddress, calleeAddress]) {
    ip('-n', load.space, 'address', 'add', `${address}/24`, 'dev', load.device);
  }
  ip('-n', relay.space, 'address', 'add', `${relayAddress}/24`, 'dev', relay.device);
  for (const { space, device } of [load, relay]) {
    for (const name of ['lo', device]) ip('-n', space, 'link', 'set', name, 'up');
  }
  const rules = [
    'add table netdev load',
    `add chain netdev load arrived { type filter hook ingress device ${load.device} priority 0; }`,
    `add rule netdev load arrived udp dport >= ${FIRST_PORT} drop`,
  ];
  ip('netns', 'exec', load.space, 'nft', rules.join('; '));
  return {
    load: { ...load, mac: macOf(load) },
    relay: { ...relay, mac: macOf(relay) },
    callerAddress,
    calleeAddress,
    relayAddress,
    close,
  };
}

/** Words that run a program in `space` on one CPU. */
export function onCpu(space: string, cpu: number): [program: string, ...words: string[]] {
  return ['ip', 'netns', 'exec', space, 'taskset', '-c', String(cpu)];
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function macOf({ space, device }: { space: string; device: string }): string {
  const text = ip('-n', space, '-o', 'link', 'show', device);
  const [, mac] = /link\/ether (\S+)/.exec(text) ?? [];
  if (mac === undefined) throw new Error(`${device} has no address: ${text}`);
  return mac;
}

function remove(space: string): void {
  try {
    ip('netns', 'delete', space);
  } catch {
    // It was not there, or is gone.
  }
}

/** Namespaces of benchmarks that were killed. */
function removeAbandoned(): void {
  const spaces = ip('netns', 'list') === '' ? [] : readdirSync(NAMESPACES);
  for (const space of spaces) {
    const [prefix, pid] = space.split('-');
    if (prefix === PREFIX && !isRunning(Number(pid))) remove(space);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
