/**
 * INVITEs of ours without final answer whose connection went away. Whoever was asked must not ring for nobody:
 *
 *   connection lost ── INVITE kept ── connection back ── the same INVITE again, then a CANCEL
 *
 *   To the callee that is a repetition (same branch, RFC 3261 §17.2.3), which brings out where it stands:
 *   1xx ─► CANCEL, 487, ACK        2xx ─► ACK, BYE        refusal ─► ACK
 */
import { nowMs } from '../observe/clock.ts';
import { getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { sendAndWait } from './request-answer.ts';
import type { OnInviteLost } from './outgoing-invite.ts';
import type { ReceivedResponse, SipConnection, SipHeaders } from './sip-connection.ts';

/** Less than 64*T1: behind that a callee who has answered meanwhile would take the repetition for a new call. */
const LIFETIME_MS = 30_000;

const PARTING: SipHeaders = { Reason: 'Q.850;cause=41' };

/** What the engine writes anew. */
const ENGINE_FIELDS = new Set(['content-length', 'route']);

interface LostAttempt {
  readonly invite: SipRequest;
  readonly nextHop: string | undefined;
  readonly lostAtMs: number;
}

export class LostAttempts {
  readonly #isRepeatable: boolean;
  #lost: LostAttempt[] = [];

  /** @param isRepeatable whether the server sends a repetition as one; otherwise nothing is done. */
  constructor(isRepeatable: boolean) {
    this.#isRepeatable = isRepeatable;
  }

  /** The connection of an INVITE is gone. */
  readonly lose: OnInviteLost = (invite, { nextHop }) => {
    if (this.#isRepeatable) this.#lost.push({ invite, nextHop, lostAtMs: nowMs() });
  };

  /** The connection is back: the callees are told. */
  regain(connection: SipConnection): void {
    const lost = this.#lost;
    this.#lost = [];
    for (const attempt of lost) {
      if (nowMs() - attempt.lostAtMs < LIFETIME_MS) cancelAgain(connection, attempt);
    }
  }
}

function cancelAgain(connection: SipConnection, { invite, nextHop }: LostAttempt): void {
  const options = {
    method: 'INVITE',
    uri: invite.uri,
    headers: headersOf(invite),
    body: invite.body.toString(),
    ...(nextHop === undefined ? {} : { nextHop }),
  };
  connection.send(options, {
    onSent: (sent) => sent.cancel(PARTING),
    onResponse: (response) => {
      const { status } = response.message;
      if (status >= 200 && status < 300) hangUp(connection, response);
    },
    // There is nobody left to tell.
    onFailed: () => undefined,
  });
}

/** The callee answered before the CANCEL came. */
function hangUp(connection: SipConnection, response: ReceivedResponse): void {
  response.acknowledge();
  const { dialogId } = response;
  const bye = { method: 'BYE', uri: 'sip:placeholder', dialogId, headers: PARTING };
  void sendAndWait(connection, bye, { onTrace: () => undefined });
}

function headersOf(invite: SipRequest): SipHeaders {
  const headers: SipHeaders = {};
  for (const { name } of invite.headers) {
    if (ENGINE_FIELDS.has(name.toLowerCase())) continue;
    headers[name] = getHeaders(invite, name).join(', ');
  }
  return headers;
}
