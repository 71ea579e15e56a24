/** The SIP test peer: repeats, CANCEL, refusals and streams behave as RFC 3261 says. */

import { describe, expect, test } from 'vitest';
import { checkLeaksAfterEach, closeAfterTest } from '../../support/leak-check.ts';
import { SipPeer } from '../../support/sip-peer.ts';
import type { SipPeerOptions } from '../../support/sip-peer.ts';
import {
  addressIn,
  formatSipText,
  headerTokens,
  headerValues,
  methodOf,
  parseSipText,
  statusOf,
} from '../../support/sip-text.ts';
import { waitFor } from '../../support/wait-for.ts';

checkLeaksAfterEach();

async function openPair(
  caller: SipPeerOptions = {},
  callee: SipPeerOptions = {},
): Promise<[SipPeer, SipPeer]> {
  const pair = await Promise.all([
    SipPeer.open({ user: 'caller', ...caller }),
    SipPeer.open({ user: 'callee', ...callee }),
  ]);
  pair.forEach(closeAfterTest);
  return pair;
}

describe('text', () => {
  test('folded lines, compact names and lists are read', () => {
    const text =
      'OPTIONS sip:a@b SIP/2.0\r\nu: kpml,\r\n dialog\r\nAllow-Events: presence\r\nl: 2\r\n\r\nhi';
    const message = parseSipText(text);
    expect(headerTokens(message, 'Allow-Events')).toEqual(['kpml', 'dialog', 'presence']);
    expect(headerValues(message, 'Content-Length')).toEqual(['2']);
    expect(message.body).toBe('hi');
    expect(formatSipText(message)).toContain('Content-Length: 2\r\n\r\nhi');
  });

  test.each([
    ['sip:a@127.0.0.1:5090;transport=udp', '127.0.0.1', 5090],
    ['sip:[::1]:5090', '::1', 5090],
    ['sip:example.net', 'example.net', 5060],
  ])('%s points at %s port %i', (uri, address, port) => {
    expect(addressIn(uri)).toEqual({ address, port });
  });
});

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test('a call is set up, carries requests both ways and ends', async () => {
    const [caller, callee] = await openPair({ transport }, { transport });
    const outgoing = caller.invite({ to: 'callee', via: callee, body: 'v=0\r\n' });
    const incoming = await callee.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    await incoming.answer({ body: 'v=0\r\n' });
    const dialog = await outgoing.answered();
    expect(statusOf(await dialog.request('INFO', { body: 'x', contentType: 'text/plain' }))).toBe(
      200,
    );
    expect(statusOf(await incoming.dialog.request('OPTIONS'))).toBe(200);
    expect(statusOf(await incoming.dialog.bye())).toBe(200);
    await dialog.waitForEnd();
    expect(incoming.dialog.received.map(methodOf)).toEqual(['INFO']);
    expect([...dialog.problems, ...incoming.dialog.problems]).toEqual([]);
  });

  test('a refused call is acknowledged', async () => {
    const [caller, callee] = await openPair({ transport }, { transport });
    const outgoing = caller.invite({ to: 'callee', via: callee });
    (await callee.nextCall()).reject(486);
    expect(statusOf(await outgoing.finished())).toBe(486);
    await waitFor('ACK', () => callee.log.some((entry) => entry.text.startsWith('ACK')));
  });

  test('a cancelled call ends with 487', async () => {
    const [caller, callee] = await openPair({ transport }, { transport });
    const outgoing = caller.invite({ to: 'callee', via: callee });
    const incoming = await callee.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    expect(statusOf(await outgoing.cancel())).toBe(200);
    expect(statusOf(await outgoing.finished())).toBe(487);
    await incoming.waitForCancel();
  });
});

describe('loss', () => {
  test('a lost INVITE and a lost answer are made good by repeats', async () => {
    const [caller, callee] = await openPair(
      { t1Ms: 20, losesReceived: firstOnly((text) => text.startsWith('SIP/2.0 200')) },
      { t1Ms: 20, losesReceived: firstOnly((text) => text.startsWith('INVITE')) },
    );
    const outgoing = caller.invite({ to: 'callee', via: callee });
    const incoming = await callee.nextCall();
    await incoming.answer();
    const dialog = await outgoing.answered();
    await dialog.bye();
    expect(callee.incoming).toHaveLength(1);
  });

  test('a repeated 2xx is acknowledged again', async () => {
    const [caller, callee] = await openPair(
      {},
      { t1Ms: 20, losesReceived: firstOnly((text) => text.startsWith('ACK')) },
    );
    const outgoing = caller.invite({ to: 'callee', via: callee });
    await (await callee.nextCall()).answer();
    await (await outgoing.answered()).bye();
    expect(caller.log.filter((entry) => entry.text.startsWith('ACK')).length).toBeGreaterThan(1);
  });

  test('a repeated request is answered again but handled once', async () => {
    const [caller, callee] = await openPair(
      { t1Ms: 20, losesReceived: firstOnly((text) => text.includes('CSeq: 2 INFO')) },
      {},
    );
    const outgoing = caller.invite({ to: 'callee', via: callee });
    const incoming = await callee.nextCall();
    await incoming.answer();
    const dialog = await outgoing.answered();
    expect(statusOf(await dialog.request('INFO'))).toBe(200);
    expect(incoming.dialog.received.map(methodOf)).toEqual(['INFO']);
    await dialog.bye();
  });

  test('no answer at all is a failure with the request’s name', async () => {
    const [caller, callee] = await openPair({ t1Ms: 2 }, { losesReceived: () => true });
    const answer = caller.request('OPTIONS', { user: 'callee', via: callee });
    await expect(answer).rejects.toThrow('no answer to OPTIONS');
  });
});

test('a request whose CSeq does not rise is refused and noted', async () => {
  const [caller, callee] = await openPair({
    rewriteSent: (message) =>
      methodOf(message) === 'INFO' && statusOf(message) === undefined
        ? parseSipText(formatSipText(message).replace('CSeq: 2 INFO', 'CSeq: 1 INFO'))
        : message,
  });
  const outgoing = caller.invite({ to: 'callee', via: callee });
  const incoming = await callee.nextCall();
  await incoming.answer();
  const dialog = await outgoing.answered();
  void dialog.request('INFO').catch(() => {});
  await waitFor('the fault', () => incoming.dialog.problems.length > 0);
  expect(incoming.dialog.problems).toEqual(['INFO with CSeq 1 after 1']);
});

/** Loses the first message that `matches`. */
function firstOnly(
  matches: (text: string) => boolean,
): NonNullable<SipPeerOptions['losesReceived']> {
  let isLost = false;
  return (message) => {
    if (isLost || !matches(formatSipText(message))) return false;
    isLost = true;
    return true;
  };
}
