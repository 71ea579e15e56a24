/** What has to be right around the SBC, each with what to do where it is not. */
import { isLoopback, isWildcard } from '../config/address.ts';
import type { Config, Realm } from '../config/config.ts';
import { type LintFinding, lintConfig } from '../config/lint.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { BoundPort, Machine } from './doctor-machine.ts';

export interface DoctorCheck {
  readonly name: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do; absent where nothing is to be done. */
  readonly advice?: string;
}

const LEAST_NODE = 24;
/** Before this no release was built: a clock that shows it is wrong. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const LEAST_BUFFER_BYTES = 1_048_576;
/** Files and sockets beside those of media. */
const OTHER_FILES = 1024;
const MOST_FILES = 65_536;
const TIME_SERVICES = [
  '/run/systemd/timesync/synchronized',
  '/run/chrony/chronyd.pid',
  '/run/chronyd.pid',
  '/run/ntpd.pid',
];

export function checkNode({ nodeVersion, cores, memoryBytes }: Machine): DoctorCheck {
  const major = Number(nodeVersion.split('.')[0]);
  const gigabytes = (memoryBytes / 2 ** 30).toFixed(1);
  const text = `Node ${nodeVersion}, ${cores} cores, ${gigabytes} GiB`;
  if (major >= LEAST_NODE) return { name: 'runtime', verdict: 'ok', text };
  return { name: 'runtime', verdict: 'fail', text, advice: `install Node ${LEAST_NODE} or later` };
}

export function checkFile(loaded: LoadedConfig): DoctorCheck {
  const name = 'configuration';
  const { file } = loaded;
  const advice = `tonebridge check ${file}`;
  if (loaded.type === 'invalid') {
    const text = `${file}: ${loaded.problems.length} problems, first: ${loaded.problems[0]?.message ?? ''}`;
    return { name, verdict: 'fail', text, advice };
  }
  const findings = lintConfig(loaded);
  const of = (severity: LintFinding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const text = `${file}: valid, ${of('error')} errors, ${of('warning')} warnings`;
  if (of('error') > 0) return { name, verdict: 'fail', text, advice };
  return of('warning') > 0
    ? { name, verdict: 'warn', text, advice }
    : { name, verdict: 'ok', text };
}

export function checkAddresses(config: Config, { addresses }: Machine): DoctorCheck {
  const name = 'addresses';
  const wanted = new Set([
    ...config.sipInterfaces.flatMap(({ sipPorts }) => sipPorts.map(({ address }) => address)),
    ...ownMedia(config).map(({ address }) => address),
    ...reportPorts(config).map(({ address }) => address),
    config.api.address,
  ]);
  const isThere = (address: string): boolean =>
    isWildcard(address) || isLoopback(address) || addresses.includes(address);
  const missing = [...wanted].filter((address) => !isThere(address));
  if (missing.length === 0) {
    return { name, verdict: 'ok', text: `${wanted.size} in use, all of this machine` };
  }
  const text = `not of this machine: ${missing.join(', ')}`;
  return { name, verdict: 'fail', text, advice: 'add the address to the machine, or correct it' };
}

/** `isRunning`: an SBC with this configuration answers, so that its ports are its own. */
export async function checkPorts(
  config: Config,
  machine: Machine,
  isRunning: boolean,
): Promise<DoctorCheck> {
  const name = 'ports';
  const ports = portsOf(config);
  const problems: string[] = [];
  let advice = '';
  for (const port of ports) {
    const problem = await machine.bindProblem(port);
    if (problem === undefined || (problem === 'EADDRINUSE' && isRunning)) continue;
    problems.push(`${port.protocol}/${port.address}:${port.port} ${problem}`);
    advice = adviceFor(problem);
  }
  if (problems.length > 0) return { name, verdict: 'fail', text: problems.join(', '), advice };
  const text = isRunning
    ? 'an SBC is running here and has them'
    : `${ports.length} of SIP, API and media can be bound`;
  return { name, verdict: 'ok', text };
}

export async function checkPortRange(config: Config, { read }: Machine): Promise<DoctorCheck> {
  const name = 'port ranges';
  const range = await read('/proc/sys/net/ipv4/ip_local_port_range');
  const [low = 0, high = 0] = (range ?? '').trim().split(/\s+/).map(Number);
  const overlapping = ownMedia(config).filter(
    ({ portMin, portMax }) => portMin <= high && portMax >= low,
  );
  if (overlapping.length === 0) {
    return { name, verdict: 'ok', text: 'media ports are out of the way of other programs' };
  }
  const text = `media of ${overlapping.map(({ realm }) => realm).join(', ')} overlaps with ${low}-${high}, from which the system gives ports to anybody`;
  const advice = `sysctl -w net.ipv4.ip_local_reserved_ports=${overlapping.map(({ portMin, portMax }) => `${portMin}-${portMax}`).join(',')}`;
  return { name, verdict: 'warn', text, advice };
}

export async function checkClock({ nowMs, read }: Machine): Promise<DoctorCheck> {
  const name = 'clock';
  const text = new Date(nowMs).toISOString();
  const advice = 'run a time service such as chrony: call records and certificates go by the clock';
  if (nowMs < EARLIEST_MS) return { name, verdict: 'fail', text, advice };
  for (const path of TIME_SERVICES) {
    if ((await read(path)) !== undefined) return { name, verdict: 'ok', text };
  }
  return { name, verdict: 'warn', text: `${text}, no time service was found`, advice };
}

export async function checkFiles(config: Config, { read }: Machine): Promise<DoctorCheck> {
  const name = 'open files';
  const limits = await read('/proc/self/limits');
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1] ?? Number.NaN);
  const media = ownMedia(config).reduce(
    (sum, { portMin, portMax }) => sum + portMax - portMin + 1,
    0,
  );
  const wanted = Math.min(MOST_FILES, media + OTHER_FILES);
  if (Number.isNaN(soft)) return { name, verdict: 'ok', text: 'no limit is known' };
  if (soft >= wanted) return { name, verdict: 'ok', text: `${soft} allowed` };
  const text = `${soft} allowed, media ports alone may need ${wanted}`;
  return { name, verdict: 'warn', text, advice: `ulimit -n ${wanted}, or LimitNOFILE=${wanted}` };
}

export async function checkBuffers({ read }: Machine): Promise<DoctorCheck> {
  const name = 'socket buffers';
  const small: string[] = [];
  for (const key of ['rmem_max', 'wmem_max']) {
    const bytes = Number((await read(`/proc/sys/net/core/${key}`)) ?? Number.NaN);
    if (bytes < LEAST_BUFFER_BYTES) small.push(`net.core.${key}=${bytes}`);
  }
  if (small.length === 0) return { name, verdict: 'ok', text: 'large enough for bursts' };
  const advice = small.map((key) => `sysctl -w ${key.replace(/=.*/, '=4194304')}`).join('; ');
  return { name, verdict: 'warn', text: `${small.join(', ')}: bursts may be lost`, advice };
}

export async function checkWrites(config: Config, machine: Machine): Promise<DoctorCheck> {
  const name = 'data files';
  const { provider } = config.featureKeys;
  const files = [
    ...(config.cdr.file === undefined ? [] : [config.cdr.file]),
    ...(config.featureKeys.enabled && provider.kind === 'sqlite' ? [provider.file] : []),
  ];
  const problems: string[] = [];
  for (const file of files) {
    const problem = await machine.writeProblem(file);
    if (problem !== undefined) problems.push(`${file} ${problem}`);
  }
  if (problems.length === 0) {
    return { name, verdict: 'ok', text: files.length === 0 ? 'none' : files.join(', ') };
  }
  const advice = 'give the user of the SBC the right to write there';
  return { name, verdict: 'fail', text: problems.join(', '), advice };
}

/** Media addresses and ports of the SBC itself: none with rtpengine, which has its own. */
function ownMedia({ media, realms }: Config): (Realm['media'] & { readonly realm: string })[] {
  if (media.engine === 'rtpengine') return [];
  return realms.map((realm) => ({ realm: realm.name, ...realm.media }));
}

/** All ports of SIP and of the API, and the first and last pair of each media range. */
function portsOf(config: Config): readonly BoundPort[] {
  const { api } = config;
  const sip = config.sipInterfaces.flatMap(({ sipPorts }) =>
    sipPorts.map(({ transport, address, port }): BoundPort => {
      return { protocol: transport === 'udp' ? 'udp' : 'tcp', address, port };
    }),
  );
  const media = ownMedia(config).flatMap(({ address, portMin, portMax }) =>
    [portMin, portMax].map((port): BoundPort => ({ protocol: 'udp', address, port })),
  );
  const own: BoundPort = { protocol: 'tcp', address: api.address, port: api.port };
  return [...sip, own, ...media, ...reportPorts(config)];
}

/** Where rtpengines report digits; several may share one. */
function reportPorts({ media }: Config): readonly BoundPort[] {
  if (media.engine !== 'rtpengine') return [];
  const ports = media.rtpengine.flatMap(({ dtmfListen }): BoundPort[] =>
    dtmfListen === undefined ? [] : [{ protocol: 'udp', ...dtmfListen }],
  );
  return [...new Map(ports.map((port) => [`${port.address} ${port.port}`, port])).values()];
}

function adviceFor(problem: string): string {
  if (problem === 'EADDRINUSE') return 'another program has it: ss -lunpt shows which';
  if (problem === 'EACCES') return 'ports below 1024 need a right: choose another port';
  if (problem === 'EADDRNOTAVAIL') return 'the address is not of this machine';
  return 'see the error of the system';
}
