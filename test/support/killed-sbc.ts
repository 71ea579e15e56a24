/** Kills an SBC process with calls up, starts it again and reads the call records it has written by then. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { CdrRecord } from '../../src/observe/cdr.ts';
import { loopbackConfig, type LoopbackOptions } from './loopback-config.ts';
import { SipPeer } from './sip-peer.ts';
import type { SipTarget } from './sip-peer.ts';
import { buildSdp } from './sdp-text.ts';
import { PATIENCE_MS, sleep } from './wait-for.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));
/** Calls that are set up at a time. */
const WAVE = 20;
const POLL_MS = 20;
/** Of each leg: RTP and RTCP. */
const PORTS_PER_CALL = 2;
const MANY_PORTS = 250;
const FIRST_PORT = 10_240;

export interface KilledSbc {
  /** SIP Call-IDs on the caller's side: of calls that were up when the process was killed, and of those that had ended. */
  readonly open: readonly string[];
  readonly ended: readonly string[];
  /** All that was in the file once the second process took calls. */
  readonly records: readonly CdrRecord[];
  /** Start of the second process to its first good answer to /readyz. */
  readonly recoveryMs: number;
  /** Of the journal after the second process had stopped. */
  readonly journalLeft: string;
}

interface Running {
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
}

/** `openCalls` are up when the process is killed, a tenth as many have ended before. */
export async function killAmidCalls(openCalls: number): Promise<KilledSbc> {
  const folder = await mkdtemp(join(tmpdir(), 'killed-sbc-'));
  const alice = await SipPeer.open({ user: 'alice', address: '127.0.0.2' });
  const bob = await SipPeer.open({ user: 'bob', address: '127.0.0.3' });
  const endedCalls = Math.ceil(openCalls / 10);
  const { yaml, access, api } = await loopbackConfig({
    carrier: bob,
    phone: alice,
    ...placeFor(2 * PORTS_PER_CALL * (openCalls + endedCalls)),
    cdrFile: join(folder, 'cdr.jsonl'),
  });
  await writeFile(join(folder, 'sbc.yaml'), yaml);
  let running: Running | undefined;
  try {
    running = await start(folder, api);
    const ended = await setUp({ alice, bob, access }, endedCalls);
    await Promise.all(ended.map((call) => call.dialog.bye()));
    const open = await setUp({ alice, bob, access }, openCalls);
    await journalled(folder, open.length);
    await running.kill('SIGKILL');
    const beforeMs = performance.now();
    running = await start(folder, api);
    const recoveryMs = performance.now() - beforeMs;
    const records = await recordsIn(folder, open.length + ended.length);
    await running.kill('SIGTERM');
    running = undefined;
    const idOf = (call: (typeof open)[number]): string => call.dialog.callId;
    const journalLeft = await textOf(folder, 'cdr.jsonl.journal');
    return { open: open.map(idOf), ended: ended.map(idOf), records, recoveryMs, journalLeft };
  } finally {
    await running?.kill('SIGKILL');
    await Promise.all([alice.close(), bob.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Addresses with `mediaPorts` free ports in each realm. */
function placeFor(mediaPorts: number): Partial<LoopbackOptions> {
  if (mediaPorts <= MANY_PORTS) return { host: '127.0.0.1', coreHost: '127.0.0.4', mediaPorts };
  // More than the ports that tests share: on an address that nobody else uses all are free.
  const mediaRange = { first: FIRST_PORT, last: FIRST_PORT + 2 * mediaPorts - 1 };
  return { host: '127.78.0.1', coreHost: '127.78.0.4', mediaRange };
}

/** Resolves when it takes calls. */
async function start(folder: string, api: SipTarget): Promise<Running> {
  const args = [PROGRAM, 'run', '--config', join(folder, 'sbc.yaml')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = once(child, 'close');
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const ready = await fetch(`http://${api.address}:${api.port}/readyz`).catch(() => undefined);
    if (ready?.ok === true) return { kill };
    if (performance.now() > deadlineMs) {
      await kill('SIGKILL');
      throw new Error(`the SBC did not start\n${output}`);
    }
    await sleep(POLL_MS);
  }
}

async function setUp(
  { alice, bob, access }: { alice: SipPeer; bob: SipPeer; access: SipTarget },
  count: number,
): Promise<ReturnType<SipPeer['invite']>[]> {
  const calls: ReturnType<SipPeer['invite']>[] = [];
  while (calls.length < count) {
    const wave = Array.from({ length: Math.min(WAVE, count - calls.length) }, () =>
      alice.invite({ to: '5551000', via: access, body: offerOf(alice) }),
    );
    const answers = wave.map(async () => {
      const incoming = await bob.nextCall();
      incoming.ring();
      await incoming.answer({ body: offerOf(bob) });
    });
    await Promise.all([...answers, ...wave.map((call) => call.answered())]);
    calls.push(...wave);
  }
  return calls;
}

function offerOf({ address }: SipPeer): string {
  return buildSdp({ address, rtpPort: 40_000 });
}

/** What is known of a call has reached the disk within the pause between two batches. */
async function journalled(folder: string, calls: number): Promise<void> {
  await until(`journal of ${calls} calls`, async () => {
    const lines = (await textOf(folder, 'cdr.jsonl.journal')).split('\n');
    const answered = lines.flatMap((line) => /"cdrId":"([^"]+)".*"answer":/.exec(line)?.[1] ?? []);
    const done = lines.flatMap((line) => [
      ...(/"done":\[([^\]]*)\]/.exec(line)?.[1] ?? '').matchAll(/"([^"]+)"/g),
    ]);
    const closed = new Set(done.map(([, cdrId]) => cdrId));
    return new Set(answered.filter((cdrId) => !closed.has(cdrId))).size >= calls;
  });
}

async function recordsIn(folder: string, count: number): Promise<readonly CdrRecord[]> {
  const read = async (): Promise<CdrRecord[]> =>
    (await textOf(folder, 'cdr.jsonl'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  await until(`${count} records`, async () => (await read()).length >= count);
  return read();
}

function textOf(folder: string, name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8').catch(() => '');
}

async function until(what: string, isThere: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isThere())) {
    if (performance.now() > deadlineMs) throw new Error(`no ${what}`);
    await sleep(POLL_MS);
  }
}
