/**
 *   caller            SBC           next hop
 *     | INVITE         | INVITE       x      no address, nobody at the port, no connection
 *     |--------------->|------------->x
 *     |            503 |
 *     |<---------------|                     next-hop-unreachable, and which place failed how
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

const ADDRESS = '127.0.0.3';

test('a next hop that nobody reaches is no refusal of the callee', async () => {
  const [port = 0] = await freePorts(1, ADDRESS);
  const agents = [
    `{ name: closed, realm: core, address: "${ADDRESS}:${port}", transport: udp }`,
    `{ name: refusing, realm: core, address: "${ADDRESS}:${port}", transport: tcp }`,
    '{ name: nameless, realm: core, address: "nowhere.invalid:5060" }',
  ];
  const policies = ['closed', 'refusing', 'nameless'].map(
    (name, index) => `  - { from-realm: access, to: "${index}", next-hop: ${name} }\n`,
  );
  const { alice, running } = await openCallStage({
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n  - ${agents.join('\n  - ')}\n`)
        .replace('local-policies:\n', `local-policies:\n${policies.join('')}`),
  });

  const answers: unknown[] = [];
  for (const to of ['0', '1', '2']) {
    const body = plainOffer(alice.sip);
    const final = await alice.sip.invite({ to, via: running.access, body }).finished();
    answers.push([statusOf(final), headerValue(final, 'Retry-After')]);
  }

  expect(answers).toEqual(['0', '1', '2'].map(() => [503, '10']));
  const records = await callRecords(running, 3);
  const why = [
    new RegExp(`^udp ${ADDRESS}:${port}: .+ \\(next hop sip:${ADDRESS}:${port};transport=udp\\)$`),
    new RegExp(`^tcp ${ADDRESS}:${port}: .*ECONNREFUSED.* \\(next hop sip:.*transport=tcp\\)$`),
    /^dns: no address for nowhere\.invalid \(next hop sip:nowhere\.invalid:5060\b.*\)$/,
  ];
  for (const [index, text] of why.entries()) {
    expect(records[index]).toMatchObject({
      release: {
        side: 'sbc',
        internalCode: 'next-hop-unreachable',
        sipCode: 503,
        q850: 27,
        text: expect.stringMatching(text),
      },
      attempts: [{ code: 503, reason: expect.stringMatching(text) }],
    });
  }
  const metrics = await (await fetch(`http://127.0.0.1:${running.api.port}/metrics`)).text();
  const outbound = 'sbc_sip_requests_total{direction="outbound",method="INVITE"';
  expect(metrics).toContain(`${outbound},code="unreachable"} 3`);
  expect(metrics).not.toContain(`${outbound},code="503"}`);
});
