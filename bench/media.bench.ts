/**
 * The relay beside others on one core: Debian's rtpengine in user space, a minimal relay in C, and ours in each way to
 * move packets. Every call is two peers that send 172 bytes of G.711 RTP every 20 ms each; both peers of all calls are
 * one program in C (media/rtp-load.c), compiled when this runs.
 *
 *   node bench/media.bench.ts [--calls 1,10,100,500,1000,2000] [--runs 5] [--seconds 2] [--subjects dgram,ffi,…] [--quick]
 *                             [--limit 4500] [--record FILE] [--from FILE] [--profile FOLDER] [--dry]
 *
 * Peers and relay are in network namespaces of their own, joined by a veth pair, for all relays alike: the kernel path
 * needs a device. The load writes and reads frames at its device, spreads them evenly over the 20 ms, and puts the time
 * into each; arrival is the kernel's time stamp. It has one CPU, the relay's process the other. In each round every relay
 * is started anew and has its turn, with 300 calls for eight seconds before the first point that has as many, and each
 * point for 2.5 s before it counts: one that compiles its code as it runs is not judged by its first seconds. A run in which the load was more than 5 ms late (p99.9)
 * or lost a packet itself is void and repeated.
 *
 * On a veth pair the CPU that sends a packet takes it in on the other side as well (softirq). So the relay's core pays for
 * the arrival at the peers, and the load's core for the arrival at the relay and for all that the kernel path does. CPU of
 * a relay is therefore what both cores spend with it (relay's core: time not idle; load's core: time spent in sending
 * and reading) less what both spend on the same packets from peer to peer, the floor; on a machine with other work the
 * relay's side is the time its process ran. Steering the arrival to the relay's core instead (RPS) costs an interrupt
 * between virtual CPUs per packet and was given up. `most calls` counts the relay's core alone; with the kernel path the
 * load's core is the one that ends first, and `>=` says so.
 *
 * rtpengine has a kernel module, which was not loadable here: both kernel paths side by side are not shown.
 * Needs root, ip, nft, taskset, a C compiler and rtpengine; what is missing is left out and said. --quick is for a look
 * only; --dry leaves README.md and the picture alone; --record and --from keep the raw series and print it again.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { drawCostCurve } from './media/cost-curve.ts';
import { onCpu, openNetwork } from './media/network.ts';
import { reportOf } from './media/report.ts';
import { capacityOf, type Series } from './media/results.ts';
import { type SeriesPlan, SeriesRun } from './media/series.ts';
import { compile, KINDS, type Kind } from './media/subject-kinds.ts';
import { endWithin, ownedFolder } from './support/owned.ts';
import { circumstances, methodOf, writeSections } from './support/readme.ts';

const FILE = 'media.bench.ts';
const CURVE = join(import.meta.dirname, 'media', 'cost-curve.svg');
/** Written by hand after a run: what its figures mean. */
const FINDINGS = join(import.meta.dirname, 'media', 'findings.md');
/** Far beyond what a series takes. */
const LIMIT_MS = 3_600_000;

interface Plan extends SeriesPlan {
  readonly isDry: boolean;
  readonly record: string | undefined;
  readonly from: string | undefined;
  readonly nodeArguments: readonly string[];
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      subjects: { type: 'string', default: KINDS.join(',') },
      limit: { type: 'string', default: '4500' },
      quick: { type: 'boolean', default: false },
      dry: { type: 'boolean', default: false },
      record: { type: 'string' },
      from: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { quick, profile } = values;
  const words = values.subjects.split(',');
  const unknown = words.filter((word) => !KINDS.some((kind) => kind === word));
  if (unknown.length > 0) throw new Error(`no such subject: ${unknown.join(', ')}`);
  const plan: Plan = {
    kinds: KINDS.filter((kind: Kind) => words.includes(kind)),
    calls: (values.calls ?? (quick ? '1,100' : '1,10,100,500,1000,2000')).split(',').map(Number),
    runs: Number(values.runs ?? (quick ? 1 : 5)),
    measuredMs: 1000 * Number(values.seconds ?? (quick ? 0.5 : 2)),
    warmUpMs: quick ? 300 : 2500,
    callLimit: Number(values.limit),
    isDry: values.dry || quick,
    record: values.record,
    from: values.from,
    nodeArguments:
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
  };
  const figures = [...plan.calls, plan.runs, plan.measuredMs, plan.callLimit];
  if (!figures.every((value) => value > 0)) throw new Error('all figures are above 0');
  return plan;
}

async function measure(plan: Plan): Promise<Series> {
  if (cpus().length < 2) throw new Error('the load and the relay need a CPU each');
  if (process.getuid?.() !== 0) throw new Error('network namespaces are made by root only');
  const folder = ownedFolder();
  const [load, relay] = [0, 1];
  const program = compile('rtp-load', folder);
  const cRelay = compile('c-relay', folder);
  const network = openNetwork();
  const place = {
    ...network,
    network,
    folder,
    program,
    cRelay,
    launcher: onCpu(network.load.space, load),
    device: network.load.device,
    relayMac: network.relay.mac,
    farEnd: { ...network.relay, nearMac: network.load.mac },
    relayCpu: relay,
    cpus: { load, relay },
    nodeArguments: plan.nodeArguments,
  };
  try {
    return await new SeriesRun(place, plan).run();
  } finally {
    network.close();
  }
}

async function main(): Promise<number> {
  const plan = readPlan();
  endWithin(LIMIT_MS);
  const [load = 0] = loadavg();
  const startedAtMs = performance.now();
  const series: Series =
    plan.from === undefined ? await measure(plan) : JSON.parse(readFileSync(plan.from, 'utf8'));
  if (plan.record !== undefined) writeFileSync(plan.record, JSON.stringify(series));
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(0);
  // A series may be put together of several: the relay with the fewest rounds counts.
  const rounds = Math.min(...KINDS.flatMap((kind) => capacityOf(series, kind)?.all.length ?? []));
  const report = reportOf(series, rounds);
  const preface = `${circumstances()} Load before ${load.toFixed(1)}; took ${minutes} min.`;
  console.log(`${preface}\n\n${report}`);
  if (plan.isDry) return 0;
  const findings = existsSync(FINDINGS) ? [readFileSync(FINDINGS, 'utf8').trim()] : [];
  const text = [`## ${FILE}`, methodOf(FILE), preface, ...findings, report].join('\n\n');
  writeSections(new Map([[FILE, text]]));
  writeFileSync(CURVE, drawCostCurve(series));
  return 0;
}

process.exit(await main());
