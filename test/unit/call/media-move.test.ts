import { expect, test } from 'vitest';
import { CallMedia } from '../../../src/call/call-media.ts';
import { MediaMove, type MovingCall } from '../../../src/call/media-move.ts';
import type { EndCause } from '../../../src/call/end-cause.ts';
import { createLog } from '../../../src/observe/log.ts';
import { FakeMediaEngine } from '../../support/fake-media-engine.ts';
import { RecordingListener } from '../media/media-samples.ts';

const LOST: EndCause = { name: 'media-engine-lost', by: 'sbc' };
const PORTS = { realm: 'core', address: '192.0.2.10', portMin: 30_000, portMax: 30_099 };

interface Moving {
  readonly move: MediaMove;
  readonly engine: FakeMediaEngine;
  readonly media: CallMedia;
  readonly ended: EndCause[];
  /** How often the legs were offered the new ports. */
  readonly offers: number[];
  /** All moves that losses have begun are over. */
  readonly moved: () => Promise<void>;
}

/** Loses the streams that are open now. */
function lose({ engine }: Moving): void {
  for (const { isClosed, listener } of engine.opened) if (!isClosed) listener.lost('engine-lost');
}

/** A call with `streams`, whose legs agree to new ports or not. */
async function callWith(
  options: {
    streams?: number;
    isTalking?: boolean;
    agrees?: boolean;
    /** Done while the legs are being offered new ports, for the n-th time. */
    onOffer?: (moving: Moving, offer: number) => void;
  } = {},
): Promise<Moving> {
  const { streams = 1, isTalking = true, agrees = true, onOffer } = options;
  const engine = new FakeMediaEngine();
  const ended: EndCause[] = [];
  const offers: number[] = [];
  const running: Promise<void>[] = [];
  const media = new CallMedia({
    engine,
    callId: 'c1',
    ports: { caller: PORTS, callee: PORTS },
    listener: Object.assign(new RecordingListener(), {
      lost: () => running.push(moving.move.move(LOST)),
    }),
    onCounters: () => undefined,
  });
  await media.open(streams);
  const call: MovingCall = {
    isTalking,
    session: { media },
    renegotiation: {
      renew: () => {
        offers.push(media.local('caller')[0]?.rtpPort ?? 0);
        onOffer?.(moving, offers.length);
        return Promise.resolve(agrees);
      },
    },
    log: createLog('error'),
    end: (cause) => ended.push(cause),
  };
  const moved = async (): Promise<void> => {
    await Promise.all(running);
  };
  const moving: Moving = { move: new MediaMove(call), engine, media, ended, offers, moved };
  return moving;
}

test('every stream gets other ports, which the legs are offered once', async () => {
  const call = await callWith({ streams: 2 });
  const { engine, media, ended, offers, moved } = call;
  const before = media.local('caller').map(({ rtpPort }) => rtpPort);
  lose(call);
  await moved();
  const after = media.local('caller').map(({ rtpPort }) => rtpPort);
  expect(after).toHaveLength(2);
  expect(after.filter((port) => before.includes(port))).toEqual([]);
  expect(offers).toEqual([after[0]]);
  expect(engine.opened.map(({ isClosed }) => isClosed)).toEqual([true, true, false, false]);
  expect(ended).toEqual([]);
});

test.each([
  ['nobody has answered yet', { isTalking: false }],
  ['a leg does not agree', { agrees: false }],
])('the call ends for the loss when %s', async (_name, options) => {
  const { move, ended } = await callWith(options);
  await move.move(LOST);
  expect(ended).toEqual([LOST]);
});

test('the call ends for the loss when nothing else can carry it', async () => {
  const { move, engine, ended, offers } = await callWith();
  engine.failure = 'engine-down';
  await move.move(LOST);
  expect([ended, offers]).toEqual([[LOST], []]);
});

test('what is lost before the legs have agreed on it gives way to other ports again', async () => {
  const call = await callWith({
    onOffer: (moving, offer) => {
      if (offer === 1) lose(moving);
    },
  });
  const { engine, media, ended, offers, moved } = call;
  lose(call);
  await moved();
  expect(offers).toEqual(engine.opened.slice(1).map(({ local }) => local.caller.rtpPort));
  expect(offers).toHaveLength(2);
  expect(media.local('caller')[0]?.rtpPort).toBe(offers[1]);
  expect(ended).toEqual([]);
});

test('the call ends when each of three moves is lost before the legs have agreed on it', async () => {
  const call = await callWith({ onOffer: lose });
  lose(call);
  await call.moved();
  expect(call.offers).toHaveLength(3);
  expect(call.ended).toEqual([LOST]);
});

test('a stream that was replaced says no more that it is lost', async () => {
  const call = await callWith();
  lose(call);
  await call.moved();
  call.engine.opened[0]?.listener.lost('engine-lost');
  await call.moved();
  expect(call.offers).toHaveLength(1);
});

test('the call ends for the fourth loss', async () => {
  const { move, ended } = await callWith();
  for (let count = 0; count < 3; count += 1) await move.move(LOST);
  expect(ended).toEqual([]);
  await move.move(LOST);
  expect(ended).toEqual([LOST]);
});
