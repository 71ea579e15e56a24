/** Streams of the engine on a real rtpengine between two RTP peers on loopback, all closed again behind a test. */

import type { MediaFailure, MediaStream, StreamUpdate } from '../../src/media/media-engine.ts';
import { RtpengineEngine } from '../../src/media/rtpengine/rtpengine-engine.ts';
import type { RtpengineEngineOptions } from '../../src/media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from '../../src/media/rtpengine/rtpengine-nodes.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from '../unit/media/media-samples.ts';
import { freePorts } from './free-ports.ts';
import { closeAfterTest } from './leak-check.ts';
import { RtpengineDaemon, type RtpengineOptions } from './rtpengine-daemon.ts';
import { RtpPeer } from './rtp-peer.ts';
import { waitFor } from './wait-for.ts';

export const HOST = '127.0.0.1';

/** Realms mean nothing here: rtpengine has ports of its own. */
const LEG = { realm: 'core', address: HOST, portMin: 2, portMax: 3 };

let streams = 0;

export interface RtpengineCall {
  readonly stream: MediaStream;
  readonly listener: RecordingListener;
  readonly caller: RtpPeer;
  readonly callee: RtpPeer;
  /** What was agreed. */
  readonly update: StreamUpdate;
}

export interface RtpengineBed {
  readonly engine: RtpengineEngine;
  readonly daemons: readonly RtpengineDaemon[];
  readonly reportPort: number;
}

export type BedOptions = Partial<Omit<RtpengineEngineOptions, 'nodes' | 'reports'>> & {
  /** How many; default 1. */
  readonly daemons?: number;
  readonly daemonOptions?: RtpengineOptions;
};

/** An engine with daemons that report to it. */
export async function openBed(options: BedOptions = {}): Promise<RtpengineBed> {
  const { daemons: count = 1, daemonOptions, ...engineOptions } = options;
  const [reportPort = 0] = await freePorts(1);
  const daemons: RtpengineDaemon[] = [];
  for (let index = 0; index < count; index += 1) {
    const daemon = await RtpengineDaemon.start({
      dtmfLogTo: `${HOST}:${reportPort}`,
      ...daemonOptions,
    });
    daemons.push(closeAfterTest(daemon));
  }
  const nodes = await RtpengineNodes.open(daemons.map(({ host, port }) => ({ host, port })));
  const reports = [{ address: HOST, port: reportPort, host: HOST }];
  const engine = await RtpengineEngine.open({ nodes, reports, ...engineOptions });
  closeAfterTest(engine);
  return { engine, daemons, reportPort };
}

/** A stream of `engine` that nothing was agreed for yet. */
export async function openStream(
  engine: RtpengineEngine,
  listener = new RecordingListener(),
): Promise<MediaStream> {
  const stream = await tryStream(engine, listener);
  if (stream.type === 'failure') throw new Error(stream.reason);
  return stream;
}

/** The same when it may fail. */
export async function tryStream(
  engine: RtpengineEngine,
  listener = new RecordingListener(),
): Promise<MediaStream | MediaFailure> {
  streams += 1;
  const streamId = `c${streams}:0`;
  const stream = await engine.openStream({ streamId, caller: LEG, callee: LEG, listener });
  return stream.type === 'failure' ? stream : closeAfterTest(stream);
}

/** Two peers with audio through a stream; `change` may alter what is negotiated. */
export async function openCall(
  engine: RtpengineEngine,
  change: (update: StreamUpdate) => StreamUpdate = (update) => update,
): Promise<RtpengineCall> {
  const listener = new RecordingListener();
  const stream = await openStream(engine, listener);
  const [caller, callee] = await Promise.all([RtpPeer.open(), RtpPeer.open()]);
  closeAfterTest(caller);
  closeAfterTest(callee);
  caller.setRemote(stream.local.caller);
  callee.setRemote(stream.local.callee);
  const update = change(sampleUpdate(sampleLeg(caller.rtpPort), sampleLeg(callee.rtpPort)));
  stream.update(update);
  return { stream, listener, caller, callee, update };
}

/** Starts audio both ways and waits until both hear it. */
export async function talk({ caller, callee }: RtpengineCall): Promise<void> {
  caller.startAudio();
  callee.startAudio();
  await waitFor('audio both ways', () => caller.received.length > 3 && callee.received.length > 3);
}
