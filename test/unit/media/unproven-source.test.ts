/** What a source may do before it is proven to be the peer. */
import { expect, test } from 'vitest';
import { LEARN_MS, LEARN_PACKETS } from '../../../src/media/source-contest.ts';
import { Relay } from '../../../src/media/relay.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';
import { CALLEE, CALLER } from './virtual-call.ts';

const NAT = { address: '198.51.100.7', port: 61_000 };

function openRelay(): Relay {
  const relay = new Relay(
    {
      renameSource: (name) => name,
      random: () => 0.5,
      inactivityTimeoutMs: 1000,
      holdTimeoutMs: 9000,
    },
    0,
  );
  const signalledFrom = NAT.address;
  const caller = sampleLeg(CALLER.port, { mediaSource: 'learn-once', signalledFrom });
  relay.update(sampleUpdate(caller, sampleLeg(CALLEE.port)), 0);
  return relay;
}

function digitsOf(relay: Relay): string {
  return relay
    .takeOutputs()
    .map((output) => (output.type === 'digit' && output.output.type === 'pressed' ? 'p' : ''))
    .join('');
}

test('keys of a source that is still learnt are neither heard nor passed on', () => {
  const relay = openRelay();
  for (let index = 0; index < LEARN_PACKETS - 1; index++) {
    const packet = eventPacket({ sequenceNumber: index, timestamp: 160 * index, isEnd: true });
    expect(relay.receiveRtp('caller', packet, NAT, index)).toBe('drop');
  }
  expect(digitsOf(relay)).toBe('');
  const { dropped } = relay.counters(9).caller;
  expect(dropped['event-not-accepted']).toBe(LEARN_PACKETS - 1);
});

test('audio passes, and a key that is held while the source is learnt is heard once', () => {
  const relay = openRelay();
  expect(relay.receiveRtp('caller', audioPacket(), NAT, 0)).toBe('forward');
  for (let index = 1; index < 12; index++) {
    const packet = eventPacket({
      sequenceNumber: index,
      timestamp: 160,
      durationTicks: 160 * index,
      isEnd: index > 8,
    });
    relay.receiveRtp('caller', packet, NAT, index * 20);
  }
  expect(LEARN_MS).toBeLessThan(LEARN_PACKETS * 20);
  expect(digitsOf(relay)).toBe('p');
});

test('the SDP address needs no proof', () => {
  const relay = openRelay();
  expect(relay.receiveRtp('caller', eventPacket({ isEnd: true }), CALLER, 0)).toBe('forward');
  expect(digitsOf(relay)).toBe('p');
});
