import { expect, test } from 'vitest';
import { OneWayWatch } from '../../../src/media/one-way-watch.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';
import { CALLEE, CALLER, VirtualCall } from './virtual-call.ts';

/** At each second: packets of caller and callee so far, and whether both may send. */
type Look = readonly [caller: number, callee: number, isTalking?: boolean];

test.each<[string, readonly Look[], readonly string[]]>([
  [
    'both send',
    [
      [0, 0],
      [50, 50],
      [100, 100],
    ],
    ['', '', ''],
  ],
  [
    'nobody sends',
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    ['', '', ''],
  ],
  [
    'only the caller sends',
    [
      [0, 0],
      [50, 0],
      [100, 0],
    ],
    ['', 'caller 1000', 'caller 1000'],
  ],
  [
    'the callee falls silent',
    [
      [0, 0],
      [50, 50],
      [51, 50],
    ],
    ['', '', 'caller 1000'],
  ],
  [
    'only the callee sends',
    [
      [9, 9],
      [9, 10],
    ],
    ['', 'callee 1000'],
  ],
  ['what came before the first look', [[500, 0]], ['']],
  [
    'hold',
    [
      [0, 0],
      [50, 0, false],
      [100, 0],
      [150, 0],
    ],
    ['', '', '', 'caller 1000'],
  ],
])('%s', (_, looks, expected) => {
  const watch = new OneWayWatch();
  const seen = looks.map(([caller, callee, isTalking = true], second) => {
    const found = watch.look({ caller, callee }, isTalking, second * 1000);
    return found === undefined ? '' : `${found.from} ${found.durationMs}`;
  });
  expect(seen).toEqual(expected);
});

test.each([
  ['both talk', {}, [0, 0]],
  ['SRTP', { transport: 'srtp' }, [1000, 0]],
  ['no RTP', { transport: 'datagrams' }, [0, 0]],
  ['hold', { maySend: false }, [0, 0]],
] as const)('a relay of which only the caller sends, %s', (name, change, expected) => {
  const call = new VirtualCall();
  call.relay.update(
    sampleUpdate(sampleLeg(CALLER.port, change), sampleLeg(CALLEE.port, change)),
    call.nowMs,
  );
  call.relay.checkOneWay(0);
  call.relay.receiveRtp('caller', audioPacket(), CALLER, 500);
  if (name === 'both talk') call.relay.receiveRtp('callee', audioPacket(), CALLEE, 500);
  call.relay.checkOneWay(1000);
  const { caller, callee } = call.relay.counters(1000);
  expect([caller.oneWayMs, callee.oneWayMs]).toEqual(expected);
});
