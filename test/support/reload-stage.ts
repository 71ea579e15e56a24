/** An SBC process with the ends of its calls and the files that it is reloaded with. */

import type { Server } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeapProbe } from '../../bench/support/heap-probe.ts';
import { ownedFolder, startOwned } from '../../bench/support/owned.ts';
import type { OwnedProcess } from '../../bench/support/owned.ts';
import { freePortRange, freePorts } from './free-ports.ts';
import { KpmlPhone } from './kpml-phone.ts';
import { loopbackConfig } from './loopback-config.ts';
import type { LoopbackConfig } from './loopback-config.ts';
import { reloadFiles } from './reload-files.ts';
import type { ReloadFile } from './reload-files.ts';
import { MOST_AT_ONCE, ReloadTraffic } from './reload-traffic.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import { tlsPath } from './tls-files.ts';
import { sleep } from './wait-for.ts';

export interface ReloadStage {
  readonly sbc: OwnedProcess;
  readonly config: LoopbackConfig;
  readonly file: string;
  readonly traffic: ReloadTraffic;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
  readonly files: readonly ReloadFile[];
  readonly probe: HeapProbe;
  readonly problems: string[];
  readonly cdrFile: string;
  readonly startedMs: number;
}

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));
const HOST = '127.0.0.1';
const ALICE = '127.0.0.2';
const BOB = '127.0.0.3';
const START_LIMIT_MS = 30_000;
/** RTP and RTCP in both realms, and as many again for calls that are being set up or taken down. */
const MEDIA_PORTS = 8 * MOST_AT_ONCE;

/** @param taken listens on a port that no file can have */
export async function openReloadStage(taken: Server): Promise<ReloadStage> {
  const traffic = await ReloadTraffic.open(ALICE, BOB);
  const phone = await KpmlPhone.open({ address: ALICE });
  const trunk = await Rfc2833Trunk.open({ address: BOB });
  const range = await freePortRange(MEDIA_PORTS);
  const [first = 0, second = 0, third = 0] = await freePorts(3, undefined, range);
  const folder = ownedFolder();
  const cdrFile = join(folder, 'cdr.jsonl');
  const config = await loopbackConfig({
    carrier: traffic.bob,
    mediaRange: range,
    cdrFile,
    logLevel: 'error',
  });
  const base = withTrunk(config.yaml, trunk);
  const file = join(folder, 'sbc.yaml');
  await writeFile(file, base);
  const address = taken.address();
  if (address === null || typeof address === 'string') throw new Error('no port was taken');
  const tls = (['sbc', 'carrier'] as const).map(
    (name) => [tlsPath(`${name}.pem`), tlsPath(`${name}.key`)] as const,
  );
  const files = reloadFiles(base, {
    address: HOST,
    free: [first, second, third],
    taken: address.port,
    tls,
  });
  const sbc = startOwned(
    process.execPath,
    ['--inspect=127.0.0.1:0', PROGRAM, 'run', '--config', file],
    folder,
  );
  await ready(config, sbc);
  return {
    sbc,
    config,
    file,
    traffic,
    phone,
    trunk,
    files,
    probe: await HeapProbe.open(sbc.output()),
    problems: [],
    cdrFile,
    startedMs: performance.now(),
  };
}

function withTrunk(yaml: string, { sip }: Rfc2833Trunk): string {
  const agent = `  - { name: trunk, realm: core, address: "${sip.address}:${sip.port}" }`;
  const policy = '  - { from-realm: access, to: "8", next-hop: trunk }';
  return yaml.replace('local-policies:', `${agent}\nlocal-policies:\n${policy}`);
}

async function ready({ api }: LoopbackConfig, { output }: OwnedProcess): Promise<void> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await fetch(`http://${api.address}:${api.port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadlineMs) throw new Error(`the SBC did not start\n${output()}`);
    await sleep(50);
  }
}
