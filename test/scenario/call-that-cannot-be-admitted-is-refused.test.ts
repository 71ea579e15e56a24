/**
 *   caller            SBC
 *     | INVITE         |
 *     |--------------->|   admission, message, route, media: the first that fails answers
 *     |            4xx |   one CDR for each, nothing held
 *     |<---------------|
 */
import { expect, test } from 'vitest';
import type { CdrRecord } from '../../src/observe/cdr.ts';
import {
  aliceCallsBob,
  audioBothWays,
  callRecords,
  expectNothingLeft,
  finish,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { InviteOptions } from '../support/sip-peer.ts';
import { formatSipText, headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('what is wrong with an INVITE has one status and one cause each', async () => {
  const stage = await openCallStage({
    edit: (yaml) =>
      yaml.replace(
        /( {2}- \{ from-realm: access, to: )"\*"(.*\n)/,
        (_, start: string, rest: string) => `${start}"1"${rest}${start}"234"${rest}`,
      ),
  });
  const { alice, running } = stage;
  const body = plainOffer(alice.sip);
  const spoilt = body.replace('m=audio ', 'm=audio x');
  const table: readonly [Partial<InviteOptions>, number, string, string | undefined][] = [
    [{ to: '3' }, 404, 'no-route', undefined],
    [{ to: '2' }, 484, 'address-incomplete', undefined],
    [{ to: '23' }, 484, 'address-incomplete', undefined],
    [{ headers: [['Require', '100rel, precondition']] }, 420, 'bad-extension', 'precondition'],
    [{ headers: [['Content-Encoding', 'gzip']] }, 415, 'bad-content', undefined],
    [{ contentType: 'text/plain' }, 415, 'bad-content', undefined],
    [{ headers: [['Accept', 'text/plain, application/sdp;q=0']] }, 406, 'bad-content', undefined],
    [{ headers: [['Accept', '']] }, 406, 'bad-content', undefined],
    [{ body: 'hello\r\n' }, 488, 'bad-sdp', undefined],
    [{ body: spoilt }, 488, 'bad-sdp', undefined],
  ];

  const seen: unknown[] = [];
  for (const [options] of table) {
    const outgoing = alice.sip.invite({ to: '1', via: running.access, body, ...options });
    const final = await outgoing.finished();
    const records = await callRecords(running, seen.length + 1);
    const cause = causeOf(records.at(-1));
    seen.push([options, statusOf(final), cause, headerValue(final, 'Unsupported')]);
  }

  expect(seen).toEqual(table);
});

test('Max-Forwards 0 gets 483, an INVITE without Contact 400', async () => {
  const { alice, running } = await openCallStage();
  const body = plainOffer(alice.sip);
  const raw = (branch: string, contact: string, maxForwards: number): string =>
    formatSipText({
      startLine: `INVITE sip:1@127.0.0.1:${running.access.port} SIP/2.0`,
      headers: [
        ['Via', `SIP/2.0/UDP 127.0.0.2:${alice.sip.port};branch=z9hG4bK${branch};rport`],
        ['Max-Forwards', String(maxForwards)],
        ['From', `<sip:alice@127.0.0.2>;tag=${branch}`],
        ['To', '<sip:1@127.0.0.1>'],
        ['Call-ID', `${branch}@127.0.0.2`],
        ['CSeq', '1 INVITE'],
        ...(contact === '' ? [] : [['Contact', contact] as const]),
        ['Content-Type', 'application/sdp'],
      ],
      body,
    });
  const statusFor = (branch: string): Promise<number> =>
    waitFor('answer', () => {
      const found = alice.sip.log.find(
        ({ direction, text, message }) =>
          direction === 'received' && text.includes(branch) && (statusOf(message) ?? 0) >= 200,
      );
      return found === undefined ? undefined : statusOf(found.message);
    });

  alice.sip.sendRaw(raw('hops', alice.sip.contact, 0), running.access);
  alice.sip.sendRaw(raw('contact', '', 70), running.access);

  expect(await statusFor('hops')).toBe(483);
  expect(await statusFor('contact')).toBe(400);
});

test('a stranger gets 403 where only agents are admitted, an agent does not', async () => {
  const stage = await openCallStage({
    edit: (yaml) => yaml.replaceAll('admit: anyone', 'admit: agents'),
    bob: { address: '127.0.0.3' },
  });
  const { alice, bob, running } = stage;

  const stranger = bob.sip.invite({
    to: '1',
    via: running.access,
    body: plainOffer(bob.sip),
    callId: 'stranger',
  });
  const refused = await stranger.finished();
  const call = await aliceCallsBob(stage);
  await finish(call);

  const options = await bob.sip.request('OPTIONS', { user: 'x', via: running.access });

  expect([statusOf(refused), statusOf(options)]).toEqual([403, 403]);
  expect(alice.sip.incoming).toEqual([]);
  const records = await callRecords(running, 2);
  expect(records.map(causeOf)).toEqual(['not-admitted', 'hang-up']);
});

test('no media port left: 503 with a cause of its own, and the next call after a hang-up works', async () => {
  const stage = await openCallStage({ mediaPorts: 4, logsErrors: true });
  const { alice, running } = stage;
  const first = await aliceCallsBob(stage);
  const second = await aliceCallsBob(stage);

  const third = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const refused = await third.finished();
  await finish(first);
  await waitFor('free ports', () => running.sbc.media.portsFree['core'] === 1);
  const fourth = await aliceCallsBob(stage);
  await finish(fourth);
  await finish(second);

  expect(statusOf(refused)).toBe(503);
  expect(headerValue(refused, 'Retry-After')).toBe('10');
  const records = await callRecords(running, 4);
  expect(records.map(causeOf)).toEqual(['no-ports', 'hang-up', 'hang-up', 'hang-up']);
});

test('every agent busy: 503 with Retry-After and a cause of its own', async () => {
  const stage = await openCallStage({ carrierLeg: { constraints: '{ max-sessions: 1 }' } });
  const { alice, running } = stage;
  const call = await aliceCallsBob(stage);

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const refused = await outgoing.finished();
  await finish(call);
  await expectNothingLeft(running);
  await finish(await aliceCallsBob(stage));

  expect(statusOf(refused)).toBe(503);
  expect(headerValue(refused, 'Retry-After')).toBe('10');
  const records = await callRecords(running, 3);
  expect(records.map(causeOf)).toEqual(['no-agent-available', 'hang-up', 'hang-up']);
});

function causeOf(record: CdrRecord | undefined): string | undefined {
  return record?.release.internalCode;
}

test('an INVITE that would take over a leg is refused, and the call goes on', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { callId, localTag, remoteTag } = call.bob.dialog;
  const named = `${callId};to-tag=${remoteTag ?? ''};from-tag=${localTag}`;
  const table: readonly [string, number][] = [
    [named, 403],
    [named.replace('to-tag=', 'to-tag=x'), 481],
    [callId, 400],
  ];
  const { alice, bob, running } = stage;
  const seen: unknown[] = [];
  for (const [value] of table) {
    const outgoing = alice.sip.invite({
      to: '1',
      via: running.access,
      headers: [['Replaces', value]],
      body: plainOffer(alice.sip),
    });
    seen.push([value, statusOf(await outgoing.finished())]);
  }
  await audioBothWays(call);
  await finish(call);

  expect(seen).toEqual(table);
  expect(bob.sip.incoming).toHaveLength(1);
});
