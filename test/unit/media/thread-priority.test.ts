/** Where relay threads stand among the work of the machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';
import { MediaBed } from './media-bed.ts';

const NICENESS = -10;
const CAP_SYS_NICE = 23;
const THREADS = '/proc/self/task';
/** Behind the name in brackets: state, parent, … */
const NICENESS_FIELD = 16;

const bed = new MediaBed();

afterEach(() => bed.close());

/** By right, or by a limit: 20 less the least niceness. */
function isPermitted(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s+(\w+)$/mu.exec(status)?.[1] ?? '0'}`);
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, limit = '0'] = /^Max nice priority\s+(\w+)/mu.exec(limits) ?? [];
  const isRight = ((effective >> BigInt(CAP_SYS_NICE)) & 1n) === 1n;
  return isRight || limit === 'unlimited' || Number(limit) >= 20 - NICENESS;
}

/** Of the threads with that name. */
function nicenesses(wanted: string): number[] {
  return readdirSync(THREADS).flatMap((thread) => {
    const stat = readFileSync(`${THREADS}/${thread}/stat`, 'utf8');
    const [, name = '', fields = ''] = /^\d+ \((.*)\) (.*)$/su.exec(stat) ?? [];
    return name === wanted ? [Number(fields.split(' ')[NICENESS_FIELD])] : [];
  });
}

function ownNiceness(): number {
  const [, fields = ''] = readFileSync('/proc/thread-self/stat', 'utf8').split(') ');
  return Number(fields.split(' ')[NICENESS_FIELD]);
}

test.skipIf(process.platform !== 'linux')(
  'a relay thread stands before other work, if that is permitted, and nobody else does',
  async () => {
    const before = ownNiceness();
    const { pool, leg } = await bed.openPool();
    await bed.openStream(pool, leg);
    const expected = isPermitted() ? NICENESS : before;
    await waitFor(`a relay thread at ${expected}`, () => nicenesses('relay').includes(expected));
    expect(ownNiceness()).toBe(before);
  },
);
