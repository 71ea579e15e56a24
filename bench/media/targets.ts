/** The targets of the relay and whether a series met them. Pure. */

import { capacityOf, capacityRatio, costOf, type Series } from './results.ts';
import type { Kind } from './subject-kinds.ts';

export interface Target {
  readonly what: string;
  readonly isAtLeast: boolean;
  readonly asked: number;
  /** `undefined`: not measured. */
  readonly measured: number | undefined;
  readonly unit: string;
  /** More than `measured` could not be shown here. */
  readonly isBound?: boolean;
  /** Nor more of what it is compared with: the ratio may be less. */
  readonly isReferenceBound?: boolean;
}

/** All of them, in the order of the text that sets them. */
export function targetsOf(series: Series): Target[] {
  const ratio = (kind: Kind, reference: Kind, asked: number): Target => ({
    what: `most calls on one core, ${kind} / ${reference}`,
    isAtLeast: true,
    asked,
    measured: capacityRatio(series, kind, reference),
    unit: '',
    isBound: capacityOf(series, kind)?.isBound === true,
    isReferenceBound: capacityOf(series, reference)?.isBound === true,
  });
  const p99 = (kind: Kind): number | undefined => costOf(series, kind, 500)?.p99Us;
  const noWorse = (kind: Kind): Target => ({
    what: `p99 at 500 calls, ${kind} / rtpengine`,
    isAtLeast: false,
    asked: 1,
    measured: quotient(p99(kind), p99('rtpengine')),
    unit: '',
  });
  const cpu = (kind: Kind): number | undefined => costOf(series, kind, 1000)?.cpuUsPerPacket;
  const own = (kind: Kind): number | undefined => costOf(series, kind, 1000)?.processUsPerPacket;
  return [
    ratio('dgram', 'rtpengine', 0.85),
    ratio('ffi', 'rtpengine', 1.2),
    ratio('ffi', 'c-relay', 0.85),
    ratio('kernel', 'rtpengine', 2.5),
    {
      what: 'CPU per packet at 1000 calls, kernel / rtpengine, all of it',
      isAtLeast: false,
      asked: 0.15,
      measured: quotient(cpu('kernel'), cpu('rtpengine')),
      unit: '',
    },
    {
      what: 'the same, of the processes alone',
      isAtLeast: false,
      asked: 0.15,
      measured: quotient(own('kernel'), own('rtpengine')),
      unit: '',
    },
    noWorse('dgram'),
    noWorse('ffi'),
    {
      what: 'p99 at 500 calls, kernel',
      isAtLeast: false,
      asked: 50,
      measured: p99('kernel'),
      unit: ' µs',
    },
  ];
}

const AT_END = 'not shown: the load was at its end';

/** In words: met, or missed by how much of what was asked. */
export function verdictOf(target: Target): string {
  const { isAtLeast, asked, measured, isBound, isReferenceBound } = target;
  if (measured === undefined) return 'not measured';
  const isMet = isAtLeast ? measured >= asked : measured <= asked;
  if (isMet) return isReferenceBound === true ? AT_END : 'met';
  const missedPercent = Math.round((100 * Math.abs(measured - asked)) / asked);
  return isBound === true ? AT_END : `missed by ${missedPercent} %`;
}

function quotient(value: number | undefined, reference: number | undefined): number | undefined {
  return value === undefined || reference === undefined || reference === 0
    ? undefined
    : value / reference;
}
