/**
 *   anyone            SBC
 *     | OPTIONS        |
 *     |--------------->|
 *     |            200 |
 *     |<---------------|
 */
import { expect, test } from 'vitest';
import { openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { formatSipText, headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('by what it can do with them', async () => {
  const { alice, running } = await openCallStage();
  const table = [
    ['OPTIONS', 200],
    ['REGISTER', 405],
    ['MESSAGE', 405],
    ['SUBSCRIBE', 489],
    ['NOTIFY', 481],
    ['PUBLISH', 405],
    ['REFER', 405],
    ['BYE', 481],
    ['UPDATE', 481],
  ] as const;

  const seen = [];
  for (const [method] of table) {
    const answer = await alice.sip.request(method, { user: 'x', via: running.access });
    seen.push([method, statusOf(answer)]);
  }

  expect(seen).toEqual(table);
});

test('OPTIONS tells what is allowed', async () => {
  const { alice, running } = await openCallStage();

  const answer = await alice.sip.request('OPTIONS', { user: 'x', via: running.access });

  expect(headerValue(answer, 'Allow')).toContain('INVITE');
  expect(headerValue(answer, 'Allow-Events')).toBe('kpml');
  expect(headerValue(answer, 'Supported')).toBe('100rel, timer, norefersub');
});

test.each(['INVITE', 'BYE', 'INFO', 'OPTIONS', 'UPDATE'])(
  '%s of a dialog it does not know gets 481',
  async (method) => {
    const { alice, running } = await openCallStage();
    const branch = `z9hG4bK${method.toLowerCase()}`;
    const request = formatSipText({
      startLine: `${method} sip:x@127.0.0.1:${running.access.port} SIP/2.0`,
      headers: [
        ['Via', `SIP/2.0/UDP 127.0.0.2:${alice.sip.port};branch=${branch};rport`],
        ['Max-Forwards', '70'],
        ['From', '<sip:alice@127.0.0.2>;tag=1'],
        ['To', '<sip:x@127.0.0.1>;tag=unknown'],
        ['Call-ID', 'gone@127.0.0.2'],
        ['CSeq', `2 ${method}`],
        ['Contact', alice.sip.contact],
      ],
      body: '',
    });

    alice.sip.sendRaw(request, running.access);

    const answer = await waitFor('answer', () =>
      alice.sip.log.find(
        ({ direction, text, message }) =>
          direction === 'received' && text.includes(branch) && (statusOf(message) ?? 0) >= 200,
      ),
    );
    expect(statusOf(answer.message)).toBe(481);
  },
);
