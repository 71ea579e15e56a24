import type { MediaListener } from '../media/media-engine.ts';
import type { Side } from '../wire/side.ts';
import type { CallContext } from './call-context.ts';
import type { CallLeg } from './call-leg.ts';
import { CallMedia } from './call-media.ts';
import { MediaMeter } from './call-meter.ts';
import type { DtmfInterworking } from './digits/dtmf-interworking.ts';
import type { EndCause } from './end-cause.ts';
import { MediaRows } from './media-rows.ts';

type MediaContext = Pick<CallContext, 'media' | 'metrics' | 'ladder' | 'nowMs'>;

/** Whose media it is. */
export interface MediaOwner {
  readonly callId: string;
  readonly legs: Readonly<Record<Side, CallLeg>>;
  dtmf(): DtmfInterworking | undefined;
  end(cause: EndCause): void;
  guarded(action: () => void): void;
}

/** The media of a call, whose events reach its digits and may end it. */
export function openCallMedia(
  { media: engine, metrics, ladder, nowMs }: MediaContext,
  owner: MediaOwner,
): CallMedia {
  const { caller, callee } = owner.legs;
  const meter = new MediaMeter(metrics, { caller: caller.realm.name, callee: callee.realm.name });
  const rows = new MediaRows((summary, leg) => {
    const about = leg === undefined ? {} : { leg };
    ladder.record(owner.callId, { atMs: nowMs(), kind: 'media', ...about, summary });
  });
  const listener: MediaListener = {
    digitPressed: (digit) => owner.guarded(() => owner.dtmf()?.pressed(digit)),
    digitReleased: (digit) => owner.guarded(() => owner.dtmf()?.released(digit)),
    digitSent: (sent) => owner.guarded(() => owner.dtmf()?.played(sent)),
    digitDropped: (dropped) => owner.guarded(() => owner.dtmf()?.notPlayed(dropped)),
    observed: (observation) => rows.observed(observation),
    inactive: ({ quietMs }) => {
      rows.silent(quietMs);
      metrics.mediaTimedOut();
      owner.end({ name: 'media-timeout', by: 'sbc' });
    },
    lost: () => owner.end({ name: 'media-lost', by: 'sbc' }),
  };
  return new CallMedia({
    engine,
    callId: owner.callId,
    ports: { caller: caller.ports, callee: callee.ports },
    signalledFrom: {
      caller: addressIn(caller.remote),
      callee: addressIn(callee.remote),
    },
    listener,
    onCounters: (counters) => meter.read(counters),
    onAnswered: () => meter.answered(),
    onBug: (error) =>
      owner.guarded(() => {
        throw error;
      }),
    rows,
    onFailure: (cause) => metrics.mediaFailed(cause, 1),
  });
}

/** The host of `host:port`, without the brackets of IPv6. */
function addressIn(hostPort: string): string {
  return hostPort.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
}
