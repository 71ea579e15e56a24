/** A flood from one source and from many, with a call up: the short form of test/long/sip-flood.ts. */

import { expect, test } from 'vitest';
import { openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import { Flood, loopbackSources } from '../support/flood.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** Far below what a flood is, and far above what the limits below let through. */
const FLOOD = { perSecond: 2000, seconds: 3, user: '4930000' };
const LIMITS =
  'limits: { source-per-second: 10, source-burst: 20, strangers-per-second: 20, strangers-burst: 40 }';

const PATIENCE = { timeout: PATIENCE_MS, interval: 100 };

async function dropped(api: { address: string; port: number }, reason: string): Promise<number> {
  const response = await fetch(`http://${api.address}:${api.port}/metrics`);
  const line = new RegExp(`^sbc_sip_dropped_total\\{reason="${reason}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await response.text())?.[1] ?? Number.NaN);
}

const FLOODS = [
  { method: 'OPTIONS', sources: 1, transport: 'udp', reason: 'source-rate' },
  { method: 'INVITE', sources: 1, transport: 'udp', reason: 'source-rate' },
  { method: 'SUBSCRIBE', sources: 50, transport: 'udp', reason: 'strangers-rate' },
  { method: 'OPTIONS', sources: 1, transport: 'tcp', reason: 'source-rate' },
] as const;

test.each(FLOODS)(
  '$method over $transport from $sources source(s) leaves a call and new trusted calls alone',
  async ({ method, sources, transport, reason }) => {
    const stage = await openStage({
      edit: (yaml) =>
        yaml
          .replace('engine: embedded', `engine: embedded, ${LIMITS}`)
          .replace('from-realm: access, to: "*"', 'from-realm: access, to: "555"'),
    });
    const { access: target, api } = stage.running;
    const call = await phoneCallsTrunk(stage);
    const order = { ...FLOOD, method, target, transport, sources: loopbackSources(sources) };
    const sender = closeAfterTest(new Flood(order));
    await expect.poll(() => dropped(api, reason), PATIENCE).toBeGreaterThan(100);
    await call.phone.press('159#');
    expect(await call.trunk.waitForDigits(4)).toBe('159#');
    const second = await phoneCallsTrunk(stage);
    await second.phone.hangUp();
    await second.trunk.waitForEnd();
    await sender.ended();
    expect(await call.finish()).toEqual([]);
  },
);
