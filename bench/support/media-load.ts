/**
 * Calls of the SBC that carry audio both ways beside whatever else is measured: set up by SIP like any other, their
 * packets sent and read on the loopback device by media/rtp-load.c, which costs little and shows what became of them.
 */

import { execFileSync } from 'node:child_process';
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { type LoadResult, runLoad } from '../media/load-run.ts';
import { FIRST_PORT } from '../media/network.ts';
import { compile } from '../media/subject-kinds.ts';
import type { KeyLoadEnds } from './key-load.ts';
import { KpmlLine } from './kpml-line.ts';
import { ownedFolder } from './owned.ts';
import type { LineMedia } from './rtp-line.ts';

const PARALLEL = 10;
const DEVICE = 'lo';
const NO_MAC = '00:00:00:00:00:00';
/** Wakes so often, and leaves the CPU to the SBC meanwhile. */
const SLOT_US = 1000;

export interface MediaLoadOptions {
  readonly calls: number;
  readonly sbcAddress: string;
  readonly sbcPid: number;
  /** Addresses that nobody else has. */
  readonly callerAddress: string;
  readonly calleeAddress: string;
}

/** An end whose packets somebody else sends and reads. */
class LoadLine implements LineMedia {
  readonly address: string;
  readonly port: number;
  /** Where the SBC takes them. */
  remotePort = 0;

  constructor(address: string, port: number) {
    this.address = address;
    this.port = port;
  }

  connect(remote: SipTarget): void {
    this.remotePort = remote.port;
  }

  stopAudio(): void {}

  close(): void {}
}

interface Pair {
  readonly phone: KpmlLine<LoadLine>;
  readonly trunk: LoadLine;
}

export class MediaLoad {
  readonly #options: MediaLoadOptions;
  readonly #pairs: Pair[];
  readonly #program: string;
  readonly #folder: string;
  readonly #silence: () => void;

  private constructor(options: MediaLoadOptions, pairs: Pair[]) {
    this.#options = options;
    this.#pairs = pairs;
    this.#folder = ownedFolder();
    this.#program = compile('rtp-load', this.#folder);
    this.#silence = silenceUdp([options.callerAddress, options.calleeAddress]);
  }

  /** Resolves when all calls stand; nothing is sent yet. */
  static async open(ends: KeyLoadEnds, options: MediaLoadOptions): Promise<MediaLoad> {
    const pairs: Pair[] = [];
    let next = 0;
    const setUp = async (): Promise<void> => {
      while (next < options.calls) {
        next += 1;
        pairs.push(await connect(ends, options, next - 1));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, setUp));
    return new MediaLoad(options, pairs);
  }

  /** Sends from now on, `warmUpMs` before the `measuredMs` that the result tells of. */
  run(warmUpMs: number, measuredMs: number): Promise<LoadResult> {
    const { calls, sbcAddress, sbcPid, callerAddress, calleeAddress } = this.#options;
    const ports = this.#pairs
      .toSorted((a, b) => a.trunk.port - b.trunk.port)
      .map(({ phone, trunk }): [number, number] => [phone.rtp.remotePort, trunk.remotePort]);
    return runLoad(
      {
        program: this.#program,
        launcher: ['env'],
        folder: this.#folder,
        device: DEVICE,
        relayMac: NO_MAC,
        relayAddress: sbcAddress,
        callerAddress,
        calleeAddress,
        relayCpu: 0,
      },
      { pid: sbcPid, ports },
      { calls, warmUpMs, measuredMs, slotUs: SLOT_US },
    );
  }

  async hangUp(): Promise<void> {
    for (const { phone } of this.#pairs) await phone.hangUp();
    this.#silence();
  }
}

async function connect(ends: KeyLoadEnds, options: MediaLoadOptions, index: number): Promise<Pair> {
  const number = `777${String(index).padStart(5, '0')}`;
  const port = FIRST_PORT + 2 * index;
  const { caller, callee } = await ends.trunk.duringWith(
    new LoadLine(options.calleeAddress, port),
    number,
    () =>
      KpmlLine.callWith(new LoadLine(options.callerAddress, port), {
        sip: ends.phones,
        to: ends.access,
        number,
      }),
  );
  return { phone: caller, trunk: callee };
}

/** Keeps packets to `addresses`, where no socket is, from being answered by ICMP; the result ends that. */
function silenceUdp(addresses: readonly string[]): () => void {
  const table = `tbbench_${process.pid}`;
  const rules = [
    `add table netdev ${table}`,
    `add chain netdev ${table} arrived { type filter hook ingress device ${DEVICE} priority 0; }`,
    `add rule netdev ${table} arrived ip daddr { ${addresses.join(', ')} } meta l4proto udp drop`,
  ];
  execFileSync('nft', [rules.join('; ')]);
  const end = (): void => {
    process.off('exit', end);
    execFileSync('nft', [`delete table netdev ${table}`]);
  };
  process.on('exit', end);
  return end;
}
