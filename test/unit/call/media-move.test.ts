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
}

/** A call with `streams`, whose legs agree to new ports or not. */
async function callWith(
  options: { streams?: number; isTalking?: boolean; agrees?: boolean } = {},
): Promise<Moving> {
  const { streams = 1, isTalking = true, agrees = true } = options;
  const engine = new FakeMediaEngine();
  const media = new CallMedia({
    engine,
    callId: 'c1',
    ports: { caller: PORTS, callee: PORTS },
    listener: new RecordingListener(),
    onCounters: () => undefined,
  });
  await media.open(streams);
  const ended: EndCause[] = [];
  const offers: number[] = [];
  const call: MovingCall = {
    isTalking,
    session: { media },
    renegotiation: {
      renew: () => {
        offers.push(media.local('caller')[0]?.rtpPort ?? 0);
        return Promise.resolve(agrees);
      },
    },
    log: createLog('error'),
    end: (cause) => ended.push(cause),
  };
  return { move: new MediaMove(call), engine, media, ended, offers };
}

test('every stream gets other ports, which the legs are offered once', async () => {
  const { move, engine, media, ended, offers } = await callWith({ streams: 2 });
  const before = media.local('caller').map(({ rtpPort }) => rtpPort);
  await Promise.all([move.move(LOST), move.move(LOST)]);
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

test('the call ends for the fourth loss', async () => {
  const { move, ended } = await callWith();
  for (let count = 0; count < 3; count += 1) await move.move(LOST);
  expect(ended).toEqual([]);
  await move.move(LOST);
  expect(ended).toEqual([LOST]);
});
