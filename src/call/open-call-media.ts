import type { MediaListener, StreamLoss } from '../media/media-engine.ts';
import type { Side } from '../wire/side.ts';
import type { CallContext } from './call-context.ts';
import type { CallLeg } from './call-leg.ts';
import { CallMedia } from './call-media.ts';
import { MediaMeter } from './call-meter.ts';
import type { DtmfInterworking } from './digits/dtmf-interworking.ts';
import type { EndCause } from './end-cause.ts';
import { MediaMove, type MovingCall } from './media-move.ts';
import { MediaRows } from './media-rows.ts';

type MediaContext = Pick<CallContext, 'media' | 'metrics' | 'ladder' | 'nowMs'>;

/** Why a call ends whose stream is gone. */
const LOSS_CAUSES = {
  'worker-lost': 'media-lost',
  'engine-lost': 'media-engine-lost',
} as const satisfies Record<StreamLoss, EndCause['name']>;

/** Whose media it is. */
export interface MediaOwner {
  readonly call: MovingCall & { readonly id: string };
  readonly legs: Readonly<Record<Side, CallLeg>>;
  dtmf(): DtmfInterworking | undefined;
  guarded(action: () => void | Promise<void>): void;
}

/** The media of a call, whose events reach its digits and may end it. */
export function openCallMedia(
  { media: engine, metrics, ladder, nowMs }: MediaContext,
  owner: MediaOwner,
): CallMedia {
  const { call } = owner;
  const { caller, callee } = owner.legs;
  let move: MediaMove | undefined;
  const meter = new MediaMeter(metrics, { caller: caller.realm.name, callee: callee.realm.name });
  const rows = new MediaRows((summary, leg) => {
    const about = leg === undefined ? {} : { leg };
    ladder.record(call.id, { atMs: nowMs(), kind: 'media', ...about, summary });
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
      call.end({ name: 'media-timeout', by: 'sbc' });
    },
    lost: (reason) => {
      rows.lost(reason);
      const cause: EndCause = { name: LOSS_CAUSES[reason], by: 'sbc' };
      if (reason === 'worker-lost') return call.end(cause);
      const found = (move ??= new MediaMove(call));
      owner.guarded(() => found.move(cause));
    },
  };
  return new CallMedia({
    engine,
    callId: call.id,
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
