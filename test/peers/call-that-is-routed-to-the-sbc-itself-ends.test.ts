/**
 * Row F12: a route leads back to the SBC, so that each call is the caller of the next.
 *
 *   caller            SBC               SBC                      SBC
 *     | INVITE 70      | INVITE 69       | INVITE 68              |  Max-Forwards 0
 *     |--------------->|---------------->|---------- … --------->|
 *     |            483 |             483 |                   483 |
 *     |<---------------|<----------------|<--------- … ----------|
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

/** The agent of all calls is the sip-interface `own` of the SBC. */
function openLoop(own: 'access' | 'core'): Promise<CallStage> {
  return openCallStage({
    mediaPorts: 320,
    edit: (yaml) => {
      const ports = [...yaml.matchAll(/sip-ports: \[ "udp\/([^"]+)"/g)].map(([, at]) => at ?? '');
      const address = ports[own === 'access' ? 0 : 1] ?? '';
      return yaml.replace(/(name: carrier\n.*\n {4}address: )"[^"]+"/, `$1"${address}"`);
    },
  });
}

test('by Max-Forwards, and nothing is left of the calls in between', async () => {
  const { alice, running } = await openLoop('access');
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const final = await outgoing.finished();

  expect(statusOf(final)).toBe(483);
  const records = await callRecords(running, 71);
  const causes = records.map(({ release }) => `${release.sipCode} ${release.internalCode}`);
  expect(new Set(causes)).toEqual(new Set(['483 callee-refused', '483 too-many-hops']));
  expect(records).toHaveLength(71);
});

test('at once where the same SIP engine would have to call itself', async () => {
  const { alice, running } = await openLoop('core');
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });

  expect(statusOf(await outgoing.finished())).toBe(503);
  expect(await callRecords(running, 1)).toHaveLength(1);
});
