/**
 * Reads many mutated SIP messages: `node test/long/sip-mutator.ts [seed] [inputs]`, by default 100 000 from the clock.
 * Ends with 1 when anything but a refusal is thrown, a message changes by being written, or reading one takes too long.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { checkInput, mutants, VALID_MESSAGES } from '../unit/wire/sip-mutants.ts';

const SLOW_MS = 5;
/** Readings of a slow input: the quickest tells the input from the machine. */
const RETRIES = 5;
const DATA = new URL('../../../shared/data/', import.meta.url);

/** The torture messages, where they are at hand. */
function tortureMessages(): Buffer[] {
  const folders = ['rfc4475/', 'rfc5118/'].map((name) => new URL(name, DATA));
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.dat'))
        .map((name) => readFileSync(new URL(name, folder))),
    );
}

function readingMs(bytes: Buffer): number {
  const first = checkInput(bytes).ms;
  if (first < SLOW_MS / 5) return first;
  return Math.min(first, ...Array.from({ length: RETRIES }, () => checkInput(bytes).ms));
}

function main(): number {
  const [seed = Date.now() % 0x1_0000_0000, inputs = 100_000] = process.argv.slice(2).map(Number);
  const sources = [...VALID_MESSAGES, ...tortureMessages()];
  console.log(`seed ${seed}, ${inputs} inputs made of ${sources.length} messages`);
  const source = mutants(seed, sources);
  let slowest: { readonly ms: number; readonly bytes: Buffer } = { ms: 0, bytes: Buffer.alloc(0) };
  for (let count = 0; count < inputs; count += 1) {
    const bytes = source.next().value;
    try {
      const ms = readingMs(bytes);
      if (ms > slowest.ms) slowest = { ms, bytes };
    } catch (error) {
      console.log(`input ${count}: ${JSON.stringify(bytes.toString('latin1', 0, 1000))}`, error);
      return 1;
    }
  }
  const beginning = JSON.stringify(slowest.bytes.toString('latin1', 0, 200));
  console.log(`slowest: ${slowest.ms.toFixed(3)} ms, ${slowest.bytes.length} bytes, ${beginning}`);
  return slowest.ms > SLOW_MS ? 1 : 0;
}

process.exitCode = main();
