/** `media.io`: what is asked for, what becomes of it on loopback, and where that is shown. */
import { expect, test } from 'vitest';
import { processSchema } from '../../src/api/live-schemas.ts';
import { openFfiIo } from '../../src/media/ffi/ffi-io.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

checkLeaksAfterEach();

/** What this machine has for packets of its own. */
const FASTEST = hasFfi() ? 'ffi' : 'dgram';
const NOT_ON_LOOPBACK = 'kernel: no media address is IPv4 and off loopback';

function hasFfi(): boolean {
  const io = openFfiIo();
  if ('type' in io) return false;
  io.close();
  return true;
}

interface Line {
  readonly level: number;
  readonly configured?: string;
  readonly inUse?: string;
  readonly reason?: string;
}

test.each([
  { io: 'dgram', inUse: 'dgram', level: 30, reason: undefined },
  { io: 'auto', inUse: FASTEST, level: 30, reason: undefined },
  { io: 'kernel', inUse: FASTEST, level: 40, reason: NOT_ON_LOOPBACK },
])('io: $io is $inUse here, in the log once, in status and in metrics', async (row) => {
  const { io, inUse, level, reason } = row;
  const logLines: string[] = [];
  const running = await startLoopbackSbc({
    carrier: { address: '127.0.0.1', port: 9 },
    logLines,
    edit: (yaml) => yaml.replace(/(?<=, io: )\w+/, io),
  });
  closeAfterTest(running);
  const url = `http://127.0.0.1:${running.api.port}`;
  const { media } = processSchema.parse(await (await fetch(`${url}/api/v1/status`)).json());
  const metrics = await (await fetch(`${url}/metrics`)).text();

  expect(media).toMatchObject({ engine: 'relay', io, ioInUse: inUse });
  expect(metrics).toContain(`\nsbc_media_info{engine="relay",io="${inUse}"} 1\n`);
  const lines = logLines.map((line): Line => JSON.parse(line));
  const told = lines.filter((line) => line.inUse !== undefined);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ level, configured: io, inUse });
  expect(told[0]?.reason).toBe(reason);
});
