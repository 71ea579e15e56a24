/**
 *   phone  ---- SIP ---->  SBC (io: auto)  ---- SIP ---->  phone     each on a host of its own
 *          ==== RTP ====>  kernel          ==== RTP ====>
 *          ==== keys ===>  relay thread    ==== keys ===>
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { processSchema } from '../../src/api/live-schemas.ts';
import type { JsonProcess } from '../support/json-process.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import {
  CALLEE,
  CALLER,
  isKernelMissing,
  MediaNamespaces,
  RELAY,
} from '../support/media-namespaces.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';

checkLeaksAfterEach();

const reportSchema = z.object({
  packets: z.number(),
  digits: z.string(),
  sources: z.number(),
  irregular: z.number(),
});

const YAML = `
media: { io: auto, workers: 1 }
realms:
  - { name: access, media: { address: ${RELAY.caller}, port-min: 20000, port-max: 20099 } }
  - { name: core, media: { address: ${RELAY.callee}, port-min: 20100, port-max: 20199 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ "udp/${RELAY.caller}:5060" ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ "udp/${RELAY.callee}:5060" ] }
session-agents:
  - { name: carrier, realm: core, address: "${CALLEE}:5060" }
local-policies:
  - { from-realm: access, to: "*", next-hop: carrier }
admission: { overload: { lag-high: 0, cpu-high: 0 } }
dtmf: { mask-digits: false }
feature-keys: { enabled: false }
api: { listen: "127.0.0.1:8080" }
cdr: { file: "" }
`;

async function report(phone: JsonProcess): Promise<z.infer<typeof reportSchema>> {
  return reportSchema.parse(await phone.ask({ type: 'report' }));
}

async function metric(sbc: JsonProcess, name: string): Promise<number> {
  const text = String(await sbc.ask({ path: '/metrics' }));
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe.skipIf(isKernelMissing())('an SBC with the kernel path', () => {
  test('audio goes by the kernel, keys cross, and the call is counted as any other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kernel-'));
    closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
    const file = join(folder, 'sbc.yaml');
    await writeFile(file, YAML);
    const hosts = closeAfterTest(new MediaNamespaces('w'));
    const sbc = hosts.start('relay', './sbc-host.ts', file);
    const { media } = processSchema.parse(
      JSON.parse(String(await sbc.ask({ path: '/api/v1/status' }))),
    );
    const caller = hosts.start('caller', './phone-host.ts', CALLER);
    const callee = hosts.start('callee', './phone-host.ts', CALLEE);
    expect(media.ioInUse).toMatch(/^(?:ffi|dgram)\+kernel$/);

    const answered = callee.ask({ type: 'answer' });
    await caller.ask({ type: 'call', via: RELAY.caller });
    await answered;
    const flows = async (): Promise<number> => await metric(sbc, 'sbc_media_kernel_flows');
    await expect.poll(flows, { timeout: PATIENCE_MS }).toBe(2);
    await caller.ask({ type: 'press', digits: '42#' });
    await callee.ask({ type: 'press', digits: '17' });
    const digits = async (): Promise<string[]> => [
      (await report(caller)).digits,
      (await report(callee)).digits,
    ];
    await expect.poll(digits, { timeout: PATIENCE_MS }).toEqual(['17', '42#']);
    await expect.poll(flows, { timeout: PATIENCE_MS }).toBe(2);

    const heard = [await report(caller), await report(callee)];
    expect(heard).toMatchObject([
      { sources: 1, irregular: 0 },
      { sources: 1, irregular: 0 },
    ]);
    const inbound = 'sbc_rtp_packets_total{realm="access",direction="inbound"}';
    const atLeast = heard[1]?.packets ?? 0;
    await expect
      .poll(() => metric(sbc, inbound), { timeout: PATIENCE_MS, interval: 500 })
      .toBeGreaterThanOrEqual(atLeast);
    await caller.ask({ type: 'hang up' });
    await expect.poll(flows, { timeout: PATIENCE_MS }).toBe(0);
    const calls = async (): Promise<number> =>
      processSchema.parse(JSON.parse(String(await sbc.ask({ path: '/api/v1/status' }))))
        .activeCalls;
    await expect.poll(calls, { timeout: PATIENCE_MS }).toBe(0);
    expect(await metric(sbc, 'sbc_rtp_lost_packets_total')).toBe(0);
  });
});
