/** What the ladder and its exports say of calls that end before they begin. */
import { expect, test } from 'vitest';
import { ladderSchema } from '../../src/api/schemas.ts';
import { pcapLadder } from '../../src/observe/ladder-pcap.ts';
import type { Ladder } from '../../src/observe/ladder.ts';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { readPcap } from '../support/pcap-reader.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

const ADDRESS = '127.0.0.3';

async function ladderOfLast({ running }: CallStage): Promise<Ladder> {
  const [record] = await callRecords(running, 1);
  const path = `/api/v1/calls/${record?.callId ?? ''}/ladder`;
  const answer = await fetch(`http://127.0.0.1:${running.api.port}${path}`, {
    headers: { connection: 'close' },
  });
  return ladderSchema.parse(await answer.json());
}

function drawn({ rows }: Ladder): string[] {
  return rows
    .filter(({ kind }) => kind === 'sip' || kind === 'decision')
    .map(({ kind, leg = '', direction = '', summary }) =>
      `${kind} ${leg} ${direction} ${summary}`.replaceAll(/ +/g, ' '),
    );
}

test('a call that the caller gives up has an end on both legs', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const body = plainOffer(alice.sip);
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  const incoming = await bob.sip.nextCall();
  incoming.ring();
  await outgoing.provisional(180);
  await outgoing.cancel();
  await incoming.waitForCancel();
  expect(statusOf(await outgoing.finished())).toBe(487);
  await waitFor('end', () => running.sbc.calls.size === 0);
  await waitFor('487', async () => {
    const rows = drawn(await ladderOfLast(stage));
    return rows.some((row) => row.startsWith('sip callee in SIP/2.0 487'));
  });

  const ladder = await ladderOfLast(stage);
  const rows = drawn(ladder);
  expect(rows).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^sip caller in CANCEL /),
      'sip caller out SIP/2.0 200 OK (by the SIP engine)',
      'sip caller out SIP/2.0 487 Request Terminated (by the SIP engine)',
      expect.stringMatching(/^sip callee out CANCEL /),
    ]),
  );
  const payloads = readPcap(pcapLadder(ladder)).map(({ payload }) => payload.toString());
  expect(payloads.filter((text) => text.startsWith('CANCEL'))).toHaveLength(2);
  expect(ladder.droppedTexts).toBe(0);
});

test('an answer that nobody gave is no message, and the next place is named', async () => {
  const [port = 0] = await freePorts(1, ADDRESS);
  const agent = `  - { name: closed, realm: core, address: "${ADDRESS}:${port}", transport: udp }\n`;
  const policy = '  - { from-realm: access, to: "7", next-hop: closed }\n';
  const stage = await openCallStage({
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n${agent}`)
        .replace('local-policies:\n', `local-policies:\n${policy}`),
  });
  const { alice, running } = stage;
  const body = plainOffer(alice.sip);
  const final = await alice.sip.invite({ to: '7', via: running.access, body }).finished();
  expect(statusOf(final)).toBe(503);

  const ladder = await ladderOfLast(stage);
  expect(drawn(ladder)).toContainEqual(
    expect.stringMatching(/^decision callee no answer from closed: .+, counted as 503$/),
  );
  expect(drawn(ladder).filter((row) => row.startsWith('sip callee in'))).toEqual([]);
  const froms = readPcap(pcapLadder(ladder)).map(({ fromPort }) => fromPort);
  expect(froms).not.toContain(port);
});
