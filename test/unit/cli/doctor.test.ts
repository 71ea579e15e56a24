import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { examine, doctorResult, hasRunningSbc } from '../../../src/cli/doctor.ts';
import type { BoundPort, Machine } from '../../../src/cli/doctor-machine.ts';
import { STATUS } from '../api/fake-backend.ts';
import { edited, load, SAMPLE, validOf } from '../config/sample.ts';

const LIMITS =
  'Max cpu time   unlimited  unlimited  seconds\nMax open files            65536                65536                files\n';
const FILES: Readonly<Record<string, string>> = {
  '/proc/self/limits': LIMITS,
  '/proc/sys/net/core/rmem_max': '4194304\n',
  '/proc/sys/net/core/wmem_max': '4194304\n',
  '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
  '/run/chrony/chronyd.pid': '1\n',
};

interface Changes extends Partial<Omit<Machine, 'read'>> {
  readonly files?: Readonly<Record<string, string | undefined>>;
}

/** A machine on which nothing is wrong, but for `changes`. */
function machine({ files, ...changes }: Changes = {}): Machine {
  const texts = { ...FILES, ...files };
  return {
    nodeVersion: '26.1.0',
    cores: 2,
    memoryBytes: 2 ** 31,
    addresses: ['127.0.0.1'],
    nowMs: Date.UTC(2026, 0, 1),
    read: async (path) => texts[path],
    bindProblem: async () => undefined,
    writeProblem: async () => undefined,
    io: () => ({ ffiProblem: () => undefined, kernelProblem: async () => undefined }),
    rtpengineProblem: async () => undefined,
    ...changes,
  };
}

async function verdicts(changes: Changes, text = SAMPLE, isRunning = false) {
  const checks = await examine(load(text), machine(changes), isRunning);
  return checks
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ name, verdict }) => `${verdict} ${name}`);
}

function taken(code: string): Machine['bindProblem'] {
  return async ({ port }: BoundPort) => (port === 6060 ? code : undefined);
}

const OTHER_ADDRESS = edited(['udp/127.0.0.1:6060', 'udp/192.0.2.1:6060']);
const NO_IO: Machine['io'] = () => ({
  ffiProblem: () => 'Node 24 has none',
  kernelProblem: async () => 'no right',
});
const WITH_FFI = `media: { io: ffi }\n${SAMPLE}`;
const ON_NODES = `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.1 }, { host: 192.0.2.2 } ] }\n${SAMPLE}`;
const REPORTS = ON_NODES.replace('192.0.2.1 }', '192.0.2.1, dtmf-listen: "192.0.2.9:22224" }');
const LOW_RANGE = edited(['port-min: 20000, port-max: 20999', 'port-min: 40000, port-max: 40999']);

test('on a machine that is ready nothing is worth a remark', async () => {
  expect(await verdicts({})).toEqual([]);
});

test.each<[string, Changes, string, string]>([
  ['an old runtime', { nodeVersion: '22.3.0' }, SAMPLE, 'fail runtime'],
  ['an address of another machine', {}, OTHER_ADDRESS, 'fail addresses'],
  ['a port that is taken', { bindProblem: taken('EADDRINUSE') }, SAMPLE, 'fail ports'],
  ['a port without the right to it', { bindProblem: taken('EACCES') }, SAMPLE, 'fail ports'],
  ['media ports that the system gives away', {}, LOW_RANGE, 'warn port ranges'],
  [
    'few open files',
    { files: { '/proc/self/limits': LIMITS.replaceAll('65536', '1024') } },
    SAMPLE,
    'warn open files',
  ],
  [
    'small buffers',
    { files: { '/proc/sys/net/core/rmem_max': '212992\n' } },
    SAMPLE,
    'warn socket buffers',
  ],
  [
    'a folder that cannot be written',
    { writeProblem: async () => 'EACCES' },
    SAMPLE,
    'fail data files',
  ],
  ['io that this machine cannot do', { io: NO_IO }, WITH_FFI, 'warn media io'],
  [
    'one rtpengine of two that does not answer',
    { rtpengineProblem: async ({ host }) => (host === '192.0.2.1' ? 'timeout' : undefined) },
    ON_NODES,
    'warn rtpengine',
  ],
  ['digits that are to be reported elsewhere', {}, REPORTS, 'fail addresses'],
  [
    'a port of such reports that is taken',
    { bindProblem: async ({ port }) => (port === 22224 ? 'EADDRINUSE' : undefined) },
    REPORTS,
    'fail ports',
  ],
  [
    'that no rtpengine answers',
    { rtpengineProblem: async () => 'timeout' },
    ON_NODES,
    'fail rtpengine',
  ],
  ['no time service', { files: { '/run/chrony/chronyd.pid': undefined } }, SAMPLE, 'warn clock'],
  ['a clock that was never set', { nowMs: 0 }, SAMPLE, 'fail clock'],
  ['a bad file', {}, 'realms: 1', 'fail configuration'],
  [
    'rtpengine without nodes',
    {},
    `media: { engine: rtpengine, rtpengine: [] }\n${SAMPLE}`,
    'fail configuration',
  ],
])('%s is found', async (_, changes, text, expected) => {
  expect(await verdicts(changes, text)).toContain(expected);
});

test('ports of the SBC that runs here are no problem', async () => {
  const changes = { bindProblem: async () => 'EADDRINUSE' };
  expect(await verdicts(changes, SAMPLE, true)).toEqual([]);
});

test('an SBC that is too busy to answer at once is the one that has the ports', async () => {
  const busyMs = 1500;
  let hash = '';
  const server = createServer((_request, response) => {
    const body = JSON.stringify({ ...STATUS, config: { ...STATUS.config, hash } });
    setTimeout(() => response.setHeader('content-type', 'application/json').end(body), busyMs);
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  const loaded = validOf(`${SAMPLE}api: { listen: 127.0.0.1:${port} }\n`);
  hash = loaded.config.hash;
  expect(await hasRunningSbc(loaded)).toBe(true);
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  expect(await hasRunningSbc(loaded)).toBe(false);
});

test('that auto does without what the machine cannot do is said and is no fault', async () => {
  expect(await verdicts({ io: NO_IO })).toEqual([]);
  const io = (await examine(load(SAMPLE), machine({ io: NO_IO }), false)).find(
    ({ name }) => name === 'media io',
  );
  expect(io?.text).toBe('auto: dgram; kernel: no right; ffi: Node 24 has none');
});

test('media addresses and ports are not looked at where rtpengine has its own', async () => {
  const far = 'address: 192.0.2.1, port-min: 40000, port-max: 40999';
  const text = edited(['address: 127.0.0.1, port-min: 20000, port-max: 20999', far]);
  expect(await verdicts({}, text)).toEqual(['fail addresses', 'warn port ranges']);
  const onNodes = `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.1 } ] }\n${text}`;
  expect(await verdicts({}, onNodes)).not.toContain('fail addresses');
  expect(await verdicts({}, onNodes)).not.toContain('warn port ranges');
});

test('warnings let the machine be ready, failures do not', async () => {
  const plain = { isTerminal: false, columns: undefined, hasColour: false };
  const good = doctorResult(await examine(load(SAMPLE), machine(), false), plain);
  expect(good).toMatchObject({ exitCode: 0, json: { isReady: true } });
  const bad = doctorResult(
    await examine(load(SAMPLE), machine({ nodeVersion: '18.0.0' }), false),
    plain,
  );
  expect(bad).toMatchObject({ exitCode: 1, json: { isReady: false } });
  expect(bad.text).toMatch(
    /^fail {2}runtime {9}Node 18\.0\.0.*\n {22}-> install Node 24 or later\n/,
  );
});
