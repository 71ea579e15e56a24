/** The relays that are compared, and how each is started. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { FIRST_PORT, type LoadNetwork, onCpu } from './network.ts';
import { Subject } from './subject.ts';

/** In the order of a round. */
export const KINDS = ['c-relay', 'rtpengine', 'dgram', 'ffi', 'kernel'] as const;
export type Kind = (typeof KINDS)[number];

/** Ways our own relay moves packets. */
export const IO_KINDS = ['dgram', 'ffi', 'kernel'] as const satisfies readonly Kind[];
export type IoKind = (typeof IO_KINDS)[number];

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  'c-relay': 'C, recvmmsg + sendmmsg',
  rtpengine: 'rtpengine, user space',
  dgram: 'io: dgram',
  ffi: 'io: ffi',
  kernel: 'io: kernel',
};

const FOLDER = import.meta.dirname;

export interface Cpus {
  readonly load: number;
  readonly relay: number;
}

export function isIoKind(kind: Kind): kind is IoKind {
  return IO_KINDS.some((io) => io === kind);
}

/** Compiles `name`.c into `folder`; gives the program. @throws Error without a C compiler. */
export function compile(name: string, folder: string): string {
  const program = join(folder, name);
  const words = ['-O2', '-o', program, join(FOLDER, `${name}.c`)];
  try {
    execFileSync('cc', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(
      `the load is written in C and compiled when it runs: cc (gcc or clang) failed`,
      {
        cause: error,
      },
    );
  }
  return program;
}

export interface SubjectPlace {
  readonly network: LoadNetwork;
  readonly cpus: Cpus;
  /** The compiled c-relay. */
  readonly cRelay: string;
  /** Words for node, of our own relay. */
  readonly nodeArguments: readonly string[];
}

export function startSubject(kind: Kind, place: SubjectPlace): Subject {
  const { network, cpus } = place;
  const { relayAddress, callerAddress, calleeAddress } = network;
  const { space } = network.relay;
  const addresses = [relayAddress, callerAddress, calleeAddress, String(FIRST_PORT)];
  const here = onCpu(space, cpus.relay);
  if (kind === 'c-relay') {
    return Subject.start([...here, place.cRelay, ...addresses, String(FIRST_PORT)]);
  }
  if (kind === 'rtpengine') {
    // The process that opens the calls is not the one that is measured.
    const program = [process.execPath, join(FOLDER, 'rtpengine-subject.ts'), String(cpus.relay)];
    return Subject.start([...onCpu(space, cpus.load), ...program, ...addresses]);
  }
  const program = [process.execPath, ...place.nodeArguments, join(FOLDER, 'relay-subject.ts')];
  return Subject.start([...here, ...program, kind, ...addresses]);
}
