/**
 * Sends many strings of keys over a spoilt network in both directions: `node test/long/digit-proof.ts [strings] [seed]`,
 * by default 100 000 from the clock. String n is drawn from seed + n, so `1 <seed + n>` shows a single one again.
 * Ends with 1 when a key of which a packet arrived in its turn is lost, doubled or out of order.
 */
import process from 'node:process';
import { damageOf, JOURNEYS, type Journey } from '../unit/dtmf/digit-journey.ts';

/** Bad strings that are shown in full. */
const MAX_SHOWN = 10;

interface Sums {
  digits: number;
  sentPackets: number;
  arrivedPackets: number;
  vanished: number;
  overtaken: number;
  lost: number;
  doubled: number;
  reordered: number;
  garbled: number;
  badStrings: number;
}

/** Whether something went wrong on the journey. */
function add(sums: Sums, journey: Journey): boolean {
  const { lost, doubled, reordered, garbled } = damageOf(journey);
  const isBad = lost + doubled + reordered + garbled > 0;
  sums.digits += journey.pressed.length;
  sums.sentPackets += journey.sentPackets;
  sums.arrivedPackets += journey.arrivedPackets;
  sums.vanished += journey.vanished.size;
  sums.overtaken += journey.overtaken.size;
  sums.lost += lost;
  sums.doubled += doubled;
  sums.reordered += reordered;
  sums.garbled += garbled;
  sums.badStrings += isBad ? 1 : 0;
  return isBad;
}

function main(): number {
  const [strings = 100_000, seed = Date.now() % 0x1_0000_0000] = process.argv.slice(2).map(Number);
  console.log(`seed ${seed}, ${strings} strings in each direction`);
  let badStrings = 0;
  for (const [name, travel] of JOURNEYS) {
    // oxfmt-ignore
    const sums: Sums = { digits: 0, sentPackets: 0, arrivedPackets: 0, vanished: 0, overtaken: 0, lost: 0, doubled: 0, reordered: 0, garbled: 0, badStrings: 0 };
    const startedMs = performance.now();
    for (let count = 0; count < strings; count += 1) {
      const journey = travel(seed + count);
      if (add(sums, journey) && sums.badStrings <= MAX_SHOWN) {
        const { pressed, heard, keys } = journey;
        console.log(
          `  seed ${seed + count}: pressed ${pressed}, heard ${keys} (${heard.join(' ')})`,
        );
      }
    }
    const ms = Math.round(performance.now() - startedMs);
    console.log(
      `${name}: ${sums.digits} digits in ${sums.sentPackets} packets, ${sums.arrivedPackets} arrived; ` +
        `excused: ${sums.vanished} without any packet, ${sums.overtaken} behind a later key only; ` +
        `lost ${sums.lost}, doubled ${sums.doubled}, out of order ${sums.reordered}, garbled ${sums.garbled}; ${ms} ms`,
    );
    badStrings += sums.badStrings;
  }
  return badStrings === 0 && strings > 0 ? 0 : 1;
}

process.exitCode = main();
