/** Why a call gets no media: one cause each in call record and metrics, 503 with Retry-After for the caller. */
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  expectNothingLeft,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage, CallStageOptions } from '../support/call-stage.ts';
import { freePortRange, type PortRange } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

async function refused({ alice, running }: CallStage): Promise<readonly unknown[]> {
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const final = await outgoing.finished();
  return [statusOf(final), headerValue(final, 'Retry-After')];
}

async function failuresFor({ running }: CallStage, cause: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${running.api.port}/metrics`)).text();
  return Number(
    new RegExp(`^sbc_media_failures_total{reason="${cause}"} (\\d+)$`, 'm').exec(text)?.[1],
  );
}

/** Binds the port on the address of realm core until the test is over. */
async function hold(port: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => void socket.bind(port, '127.0.0.4', done));
  closeAfterTest({ close: () => new Promise<void>((done) => void socket.close(done)) });
}

test('our own calls: of 30 calls on 40 ports 20 are carried, and all ports come back', async () => {
  const stage = await openCallStage({ mediaPorts: 40, logsErrors: true });
  const { alice, bob, running } = stage;
  const outgoing = Array.from({ length: 30 }, (_, index) =>
    alice.sip.invite({ to: String(index), via: running.access, body: plainOffer(alice.sip) }),
  );
  const answering = Promise.all(
    Array.from({ length: 20 }, async () => {
      const incoming = await bob.sip.nextCall();
      return incoming.answer({ body: plainOffer(bob.sip) });
    }),
  );
  const finals = await Promise.all(outgoing.map((each) => each.finished()));
  const answered = await answering;
  const failures = await failuresFor(stage, 'no-ports');
  for (const dialog of answered) await dialog.bye();
  await expectNothingLeft(running);

  expect(finals.filter((final) => statusOf(final) === 200)).toHaveLength(20);
  const rest = finals.filter((final) => statusOf(final) !== 200);
  expect(rest.map((final) => [statusOf(final), headerValue(final, 'Retry-After')])).toEqual(
    Array.from({ length: 10 }, () => [503, '10']),
  );
  expect(failures).toBe(10);
  const causes = (await callRecords(running, 30)).map(({ release }) => release.internalCode);
  expect(causes.filter((cause) => cause === 'no-ports')).toHaveLength(10);
  const again = await aliceCallsBob(stage);
  await finish(again);
});

interface Obstacle {
  readonly cause: string;
  readonly text: string;
  readonly options: (range: PortRange) => CallStageOptions;
  readonly prepare?: (range: PortRange) => Promise<unknown>;
}

test.each<Obstacle>([
  {
    cause: 'ports-taken',
    text: 'media ports held by another program',
    options: (mediaRange) => ({ mediaRange }),
    prepare: ({ last }) => hold(last),
  },
  {
    cause: 'media-address-unavailable',
    text: 'media address is not local',
    options: () => ({
      edit: (yaml) => yaml.replace(/(name: core, media: \{ address: )"[^"]*"/, '$1"192.0.2.1"'),
    }),
  },
])('$text: 503 and the cause $cause', async ({ cause, text, options, prepare }) => {
  const range = await freePortRange(4);
  await prepare?.(range);
  const stage = await openCallStage({ ...options(range), logsErrors: true });
  const answer = await refused(stage);
  const failures = await failuresFor(stage, cause);
  const [record] = await callRecords(stage.running, 1);

  expect(answer).toEqual([503, '10']);
  expect(failures).toBe(1);
  expect(record?.release).toMatchObject({ internalCode: cause, text, sipCode: 503 });
});
