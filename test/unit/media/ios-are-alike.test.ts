/** The same long call over every io: the same bytes at the peers, the same word to the main thread. */
import { describe, expect, test } from 'vitest';
import { playScript, randomSteps, scriptPorts, seededPick } from './io-script.ts';

const STEPS = 400;

describe.each([1, 4, 5])('script %i', (seed) => {
  const steps = randomSteps(seededPick(seed), STEPS);

  test('gives the same over dgram and ffi, whatever becomes of a packet behind its receiver', async () => {
    const ports = await scriptPorts();
    const dgram = await playScript('dgram', steps, ports);
    const ffi = await playScript('ffi', steps, ports);
    const scribbled = await playScript('ffi', steps, { ...ports, scribbles: true });
    for (const something of ['rtp: ', 'rtcp: ', '{"type":"digitSent"', '{"type":"digitPressed"']) {
      expect(dgram.some((line) => line.startsWith(something))).toBe(true);
    }
    expect(ffi).toEqual(dgram);
    expect(scribbled).toEqual(dgram);
  });
});
