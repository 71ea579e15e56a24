/** A media engine without sockets: remembers what it was told. */
import type {
  MediaEngine,
  MediaFailure,
  MediaListener,
  MediaStream,
  OpenStreamRequest,
  PlayedDigit,
  StreamUpdate,
} from '../../src/media/media-engine.ts';
import { createLegCounters, type MediaCounters } from '../../src/media/relay-counters.ts';
import type { Side } from '../../src/wire/side.ts';

export class FakeMediaStream implements MediaStream {
  readonly type = 'stream';
  readonly streamId: string;
  readonly local: MediaStream['local'];
  readonly listener: MediaListener;
  readonly updates: StreamUpdate[] = [];
  readonly played: (PlayedDigit & { readonly to: Side })[] = [];
  isClosed = false;

  constructor(request: OpenStreamRequest, port: number) {
    this.streamId = request.streamId;
    this.listener = request.listener;
    const { caller, callee } = request;
    this.local = {
      caller: { address: caller.advertised ?? caller.address, rtpPort: port, rtcpPort: port + 1 },
      callee: {
        address: callee.advertised ?? callee.address,
        rtpPort: port + 2,
        rtcpPort: port + 3,
      },
    };
  }

  update(update: StreamUpdate): void {
    this.updates.push(update);
  }

  playDigit(to: Side, digit: PlayedDigit): void {
    this.played.push({ to, ...digit });
  }

  close(): Promise<MediaCounters> {
    this.isClosed = true;
    return this.counters();
  }

  counters(): Promise<MediaCounters> {
    return Promise.resolve({ caller: createLegCounters(), callee: createLegCounters() });
  }
}

export class FakeMediaEngine implements MediaEngine {
  readonly opened: FakeMediaStream[] = [];
  readonly portsFree = {};
  readonly workerRestarts = 0;
  /** When set, the next streams fail for this reason. */
  failure: MediaFailure['reason'] | undefined;
  /** What it says of a failure. */
  failureDetail: string | undefined;

  openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure> {
    if (this.failure !== undefined) {
      const detail = this.failureDetail;
      const said = detail === undefined ? {} : { detail };
      return Promise.resolve({ type: 'failure', reason: this.failure, ...said });
    }
    const stream = new FakeMediaStream(request, request.caller.portMin + this.opened.length * 4);
    this.opened.push(stream);
    return Promise.resolve(stream);
  }

  serve(): void {
    // Every range is served.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
