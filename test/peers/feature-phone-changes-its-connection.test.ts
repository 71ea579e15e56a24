/**
 *   phone, old connection   phone, new connection          SBC
 *     | SUBSCRIBE              |                            |
 *     |---------------------------------------------------->|
 *     |   200, NOTIFY: no answer, the phone is gone         |
 *     |<----------------------------------------------------|
 *                              | SUBSCRIBE in the dialog    |
 *                              |--------------------------->|
 *                              |   200, NOTIFY              |
 *                              |<---------------------------|
 */
import { expect, test } from 'vitest';
import { ACCOUNT, openFeatureStage, PORTAL } from '../support/feature-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { newToken } from '../support/sip-dialog.ts';
import { headerValue, headerValues, methodOf, statusOf, tagIn } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { openWay, type SipWay } from '../support/sip-way.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** A silent phone is given up after 64 * T1 = 6.4 s on this stage. */
const GIVEN_UP_MS = 6700;

class Phone {
  readonly #callId = newToken();
  readonly #tag = newToken();
  #toTag: string | undefined;
  #cseq = 0;

  /** Gives the status of the answer. */
  async subscribe(over: SipWay): Promise<number | undefined> {
    this.#cseq += 1;
    const cseq = `${this.#cseq} SUBSCRIBE`;
    const lines = [
      'SUBSCRIBE sip:2001@pbx.example SIP/2.0',
      `Via: SIP/2.0/${over.protocol.toUpperCase()} ${over.ownAddress};branch=z9hG4bK${newToken()};rport`,
      'Max-Forwards: 70',
      `From: <sip:2001@pbx.example>;tag=${this.#tag}`,
      `To: <sip:2001@pbx.example>${this.#toTag === undefined ? '' : `;tag=${this.#toTag}`}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq}`,
      'Contact: <sip:2001@10.9.8.7:5060>',
      'Event: as-feature-event',
      'Expires: 600',
      'Content-Length: 0',
    ];
    over.send(`${lines.join('\r\n')}\r\n\r\n`);
    const answer = await over.next(`answer to ${cseq}`, (each) => {
      return statusOf(each) !== undefined && headerValue(each, 'CSeq') === cseq;
    });
    this.#toTag ??= tagIn(headerValue(answer, 'To') ?? '');
    return statusOf(answer);
  }

  /** The oldest NOTIFY that has not been taken, unanswered. */
  async notify(over: SipWay): Promise<SipText> {
    return await over.next('NOTIFY', (each) => {
      return statusOf(each) === undefined && methodOf(each) === 'NOTIFY';
    });
  }

  answer(over: SipWay, notify: SipText): void {
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
      headerValues(notify, name).map((value) => `${name}: ${value}`),
    );
    over.send(`SIP/2.0 200 OK\r\n${copied.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
  }
}

test.each([
  ['tcp', 'tcp', 'stands without a peer'],
  ['tcp', 'tcp', 'is closed before the SUBSCRIBE'],
  ['tcp', 'udp', 'stands without a peer'],
  ['udp', 'tcp', 'stands without a peer'],
] as const)(
  'a phone that goes from %s to %s is told at once what it missed, though its old way %s',
  async (from, to, how) => {
    const stage = await openFeatureStage();
    const port = (protocol: string): number =>
      stage.engine.listenPoints.find((point) => point.protocol === protocol)?.port ?? 0;
    const way = async (protocol: 'udp' | 'tcp'): Promise<SipWay> =>
      closeAfterTest(await openWay(protocol, { address: '127.0.0.1', port: port(protocol) }));
    const [phone, old, fresh] = [new Phone(), await way(from), await way(to)];
    await phone.subscribe(old);
    phone.answer(old, await phone.notify(old));
    if (how === 'is closed before the SUBSCRIBE') await old.close();
    else {
      await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
      await phone.notify(old);
    }
    const status = await phone.subscribe(fresh);
    const told = await phone.notify(fresh);
    phone.answer(fresh, told);
    // By then the NOTIFY on the old way has been given up, where there was one.
    if (how === 'stands without a peer') await sleep(GIVEN_UP_MS);
    await stage.service.set(
      ACCOUNT,
      'CallForwardingBusy',
      { status: true, forwardTo: '3' },
      PORTAL,
    );
    const next = await phone.notify(fresh);
    phone.answer(fresh, next);

    expect([status, await phone.subscribe(fresh)]).toEqual([200, 200]);
    phone.answer(fresh, await phone.notify(fresh));
    expect(told.body.match(/<(?:DoNotDisturb|Forwarding)Event/g)).toHaveLength(4);
    expect(next.body).toContain('forwardBusy');
    expect(stage.subscriptions.size).toBe(1);
  },
);
