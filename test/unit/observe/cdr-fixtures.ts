/** Call records, and a disk that fails when it is told to, for the tests of what writes them. */
import { readFile } from 'node:fs/promises';
import type { CdrRecord, OpenAttempt } from '../../../src/observe/cdr.ts';
import { type CdrFiles, DISK_FILES } from '../../../src/observe/cdr-files.ts';
import { PATIENCE_MS } from '../../support/wait-for.ts';

/** For `expect.poll`: a bound for the case that it never comes, not a claim about speed. */
export const SOON = { timeout: PATIENCE_MS, interval: 5 };

export const AT = '2026-01-01T00:00:00.000Z';
export const AT_MS = Date.parse(AT);

/** An attempt of a call that was answered three seconds after its INVITE. */
export function attempt(cdrId: string): OpenAttempt {
  return {
    version: 1,
    cdrId,
    callId: `call-${cdrId}`,
    config: { hash: 'abc' },
    node: 'sbc1',
    ingress: {
      realm: 'access',
      interface: 'access',
      remote: '192.0.2.1:5060',
      sipCallId: 'x',
      from: 'sip:1@a',
      to: 'sip:2@b',
      ruri: 'sip:2@b',
      transport: 'udp',
      srtp: false,
    },
    attempts: [
      {
        agent: 'carrier',
        nextHop: 'sip:b',
        transport: 'udp',
        code: 200,
        reason: 'OK',
        start: AT,
        end: AT,
      },
    ],
    numbers: { calledIn: '2', callerIn: '1' },
    timestamps: {
      invite: AT,
      firstProgress: later(1),
      ringing: later(2),
      answer: later(3),
    },
    dtmf: {
      ingressMethod: 'kpml',
      egressMethod: 'rfc2833',
      decision: 'K5',
      digitsIn: 4,
      digitsOut: 4,
      dropped: 0,
    },
  };
}

export function record(cdrId: string): CdrRecord {
  const { timestamps, ...rest } = attempt(cdrId);
  return {
    ...rest,
    timestamps: { ...timestamps, end: later(10) },
    durations: { pdd: 1, ring: 1, bill: 7 },
    release: { side: 'caller', sipCode: 200, internalCode: 'hang-up', text: 'hung up' },
  };
}

/** So many seconds after `AT`. */
export function later(seconds: number): string {
  return new Date(AT_MS + 1000 * seconds).toISOString();
}

export async function recordsIn(file: string): Promise<CdrRecord[]> {
  const text = await readFile(file, 'utf8');
  if (text === '' || !text.endsWith('\n')) throw new Error(`half a line at the end of ${file}`);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

export async function idsIn(file: string): Promise<string[]> {
  return (await recordsIn(file)).map(({ cdrId }) => cdrId);
}

/** The real disk, with methods that fail while an error code is set for them. */
export class FaultyDisk implements CdrFiles {
  /** The code to fail with, such as ENOSPC; `half` of an append is left behind. */
  fault:
    | { readonly on: keyof CdrFiles; readonly code: string; readonly half?: boolean }
    | undefined;
  /** Which files the fault is for. */
  faultyFiles = /./;

  async append(file: string, text: string, isSynced: boolean): Promise<void> {
    const { fault } = this;
    const isFaulty = fault?.on === 'append' && this.faultyFiles.test(file);
    const isHalf = isFaulty && fault.half === true;
    if (isHalf) await DISK_FILES.append(file, text.slice(0, text.length / 2), isSynced);
    if (isFaulty) throw failure(fault.code, file);
    await DISK_FILES.append(file, text, isSynced);
  }

  async info(file: string): ReturnType<CdrFiles['info']> {
    this.#check('info', file);
    return DISK_FILES.info(file);
  }

  async tail(file: string, maxBytes: number): Promise<Buffer> {
    this.#check('tail', file);
    return DISK_FILES.tail(file, maxBytes);
  }

  async cut(file: string, sizeBytes: number): Promise<void> {
    this.#check('cut', file);
    await DISK_FILES.cut(file, sizeBytes);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check('rename', from);
    await DISK_FILES.rename(from, to);
  }

  async remove(file: string): Promise<void> {
    this.#check('remove', file);
    await DISK_FILES.remove(file);
  }

  list(folder: string): ReturnType<CdrFiles['list']> {
    return DISK_FILES.list(folder);
  }

  #check(on: keyof CdrFiles, file: string): void {
    const { fault } = this;
    if (fault?.on !== on || !this.faultyFiles.test(file)) return;
    throw failure(fault.code, file);
  }
}

function failure(code: string, file: string): Error {
  return Object.assign(new Error(`${code} on ${file}`), { code });
}
