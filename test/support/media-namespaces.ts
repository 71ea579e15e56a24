/**
 * A relay between two hosts, each in a network namespace of its own:
 *
 *   caller 10.81.1.2 ---- 10.81.1.1 relay 10.81.2.1 ---- 10.81.2.2 router and callee 10.81.3.2
 *
 * The callee's address is behind the router's, so that the relay has to send by a gateway.
 */

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { env } from 'node:process';
import { JsonProcess } from './json-process.ts';

export const CALLER = '10.81.1.2';
export const CALLEE = '10.81.3.2';
export const RELAY = { caller: '10.81.1.1', callee: '10.81.2.1' } as const;

/** Why the kernel path cannot be tested on this machine; in CI that is a failure, elsewhere the tests are left out. */
export function isKernelMissing(): boolean {
  const hasNft = spawnSync('nft', ['--version']).status === 0;
  const isRoot = process.getuid?.() === 0;
  return !(hasNft && isRoot) && env['CI'] === undefined;
}

type Host = 'caller' | 'relay' | 'callee';

export class MediaNamespaces {
  readonly #prefix: string;
  readonly #processes: JsonProcess[] = [];

  /** @param letter tells those of one test process apart */
  constructor(letter: string) {
    this.#prefix = `tbh-${process.pid}-${letter}`;
    const [caller, relay, callee] = (['caller', 'relay', 'callee'] as const).map((host) =>
      this.name(host),
    );
    const wire = (near: string, nearName: string, farName: string, far: string): void => {
      ip(
        '-n',
        near,
        'link',
        'add',
        nearName,
        'type',
        'veth',
        'peer',
        'name',
        farName,
        'netns',
        far,
      );
    };
    for (const name of [caller, relay, callee]) ip('netns', 'add', `${name}`);
    wire(`${relay}`, 'inside', 'wire', `${caller}`);
    wire(`${relay}`, 'outside', 'wire', `${callee}`);
    ip('-n', `${caller}`, 'addr', 'add', `${CALLER}/24`, 'dev', 'wire');
    ip('-n', `${relay}`, 'addr', 'add', `${RELAY.caller}/24`, 'dev', 'inside');
    ip('-n', `${relay}`, 'addr', 'add', `${RELAY.callee}/24`, 'dev', 'outside');
    ip('-n', `${callee}`, 'addr', 'add', '10.81.2.2/24', 'dev', 'wire');
    ip('-n', `${callee}`, 'addr', 'add', `${CALLEE}/32`, 'dev', 'lo');
    for (const [name, devices] of [
      [caller, ['lo', 'wire']],
      [relay, ['lo', 'inside', 'outside']],
      [callee, ['lo', 'wire']],
    ] as const) {
      for (const device of devices) ip('-n', `${name}`, 'link', 'set', device, 'up');
    }
    ip('-n', `${relay}`, 'route', 'add', `${CALLEE}/32`, 'via', '10.81.2.2');
    ip('-n', `${caller}`, 'route', 'add', 'default', 'via', RELAY.caller);
  }

  /** What the namespace of `host` is called. */
  name(host: Host): string {
    return `${this.#prefix}-${host}`;
  }

  /** Starts a program of test/support on `host`. */
  start(host: Host, program: string, ...words: readonly string[]): JsonProcess {
    const started = new JsonProcess(this.name(host), program, ...words);
    this.#processes.push(started);
    return started;
  }

  /** What nft says on the relay's host. */
  nft(...words: readonly string[]): string {
    const { stdout, stderr } = runIp(['netns', 'exec', this.name('relay'), 'nft', ...words]);
    return `${stdout}${stderr}`;
  }

  /** Ends the programs and removes the namespaces. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.close()));
    for (const host of ['caller', 'relay', 'callee'] as const) ip('netns', 'del', this.name(host));
  }
}

function runIp(words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('ip', words, { encoding: 'utf8' });
}

function ip(...words: readonly string[]): void {
  const { status, stderr } = runIp(words);
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
}
