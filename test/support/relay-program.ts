/** A relay pool with the kernel path in a process of its own. */

import { parseArgs } from 'node:util';
import { KernelPath, type KernelTrouble } from '../../src/media/kernel/kernel-path.ts';
import type { KernelReach } from '../../src/media/kernel/steady-flow.ts';
import type { MediaStream, PlayedDigit, StreamUpdate } from '../../src/media/media-engine.ts';
import { RelayPool } from '../../src/media/relay-pool.ts';
import type { Side } from '../../src/wire/side.ts';
import { serveJson } from './json-process.ts';

/** What is known of the relay at any time. */
export interface RelayView {
  /** Flows that go by the kernel. */
  readonly carried: number;
  /** How many there were one after the other, this number last. */
  readonly course: readonly number[];
  readonly isUp: boolean;
  readonly table: string;
  readonly nftPid: number | undefined;
  readonly digits: string;
  readonly sent: readonly string[];
  readonly dropped: readonly string[];
  readonly quietMs: readonly number[];
  readonly observed: readonly string[];
  readonly troubles: readonly KernelTrouble[];
}

export type RelayProgramCommand =
  | { readonly type: 'open' | 'counters' | 'close' | 'view' | 'crashThread' }
  | { readonly type: 'update'; readonly update: StreamUpdate }
  | { readonly type: 'play'; readonly to: Side; readonly digit: PlayedDigit };

/** A flow that has come back stays with the relay for some looks of a second. */
const LOOK_MS = 5;

const { values } = parseArgs({
  options: {
    reach: { type: 'string' },
    io: { type: 'string' },
    caller: { type: 'string' },
    callee: { type: 'string' },
    inactivityMs: { type: 'string' },
  },
});
const { caller = '', callee = '' } = values;
const reach: KernelReach = values.reach === 'untranslated' ? 'untranslated' : 'every';

const troubles: KernelTrouble[] = [];
const kernel = await KernelPath.open({
  addresses: [caller, callee],
  reach,
  onTrouble: (trouble) => troubles.push(trouble),
});
if (kernel.type === 'unavailable') throw new Error(kernel.reason);
const path = kernel;
const pool = new RelayPool({
  workers: 1,
  io: values.io === 'ffi' ? 'ffi' : 'dgram',
  inactivityTimeoutMs: Number(values.inactivityMs ?? 60_000),
  kernel,
});

let stream: MediaStream | undefined;
let digits = '';
const sent: string[] = [];
const dropped: string[] = [];
const quietMs: number[] = [];
const observed: string[] = [];
const course: number[] = [];

function noteCarried(): void {
  if (course.at(-1) !== path.carried) course.push(path.carried);
}
const noting = setInterval(noteCarried, LOOK_MS);

async function open(): Promise<unknown> {
  const ports = { portMin: 20_000, portMax: 20_999 };
  const opened = await pool.openStream({
    streamId: 'stream',
    caller: { realm: 'inside', address: caller, ...ports },
    callee: { realm: 'outside', address: callee, ...ports },
    listener: {
      digitPressed: ({ digit }) => {
        digits += digit;
      },
      digitReleased: () => undefined,
      digitSent: ({ digitId }) => sent.push(digitId),
      digitDropped: ({ digitId }) => dropped.push(digitId),
      inactive: (info) => quietMs.push(info.quietMs),
      lost: () => undefined,
      observed: ({ type }) => observed.push(type),
    },
  });
  if (opened.type !== 'stream') throw new Error(opened.reason);
  stream = opened;
  return opened.local;
}

function view(): RelayView {
  noteCarried();
  const state = { carried: path.carried, course, isUp: path.isUp, table: path.table };
  return { ...state, nftPid: path.nftPid, digits, sent, dropped, quietMs, observed, troubles };
}

function carryOut(command: RelayProgramCommand): unknown {
  switch (command.type) {
    case 'open':
      return open();
    case 'update':
      return stream?.update(command.update);
    case 'play':
      return stream?.playDigit(command.to, command.digit);
    case 'counters':
      return stream?.counters();
    case 'close':
      return stream?.close();
    case 'view':
      return view();
    case 'crashThread':
      return pool.crashThread();
    default:
      return command satisfies never;
  }
}

serveJson(carryOut, () => {
  clearInterval(noting);
  void pool.close().then(() => path.close());
});
