/** Requests the engine sends in a dialog without being asked. */
import { formatSipMessage } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest } from '../../wire/sip-message.ts';
import type { ClientHandler } from '../transaction/transaction-user.ts';
import type { Core } from './core.ts';
import { deliverUnsolicited } from './delivery.ts';
import { destinationInDialog } from './destination.ts';
import type { DialogSession } from './dialog-session.ts';

/** Ends the dialog with a BYE. `reason` is told to the peer and, as an unsolicited BYE, to the application. */
export function sendBye(core: Core, session: DialogSession, reason: string | undefined): void {
  const { owner, local } = session;
  const { id } = session.dialog;
  const headers: SipHeader[] =
    reason === undefined ? [] : [{ name: 'Reason', value: `SIP;cause=200;text="${reason}"` }];
  const report = (bytes: Buffer): void => {
    if (reason !== undefined) deliverUnsolicited(owner, { dialogId: id, bytes, local });
  };
  sendInDialog(core, session, { method: 'BYE', headers, onGoing: report });
  endSession(core, session);
}

/** The dialog is over: nothing in it is repeated or waited for any more. */
export function endSession(core: Core, session: DialogSession): void {
  endInvites(session);
  core.dialogs.remove(session);
}

/**
 * The INVITE of an early dialog got its refusal: the dialog goes, unless a subscription in it still has to be told
 * (RFC 5057 §4.1).
 */
export function endEarlySession(core: Core, session: DialogSession): void {
  if (session.dialog.phase === 'early' && session.hasSubscription) {
    session.linger(64 * core.timers.t1Ms, () => core.dialogs.remove(session));
  } else {
    core.dialogs.remove(session);
  }
}

/** The call is over; other usages of the dialog still have a last word. */
export function endInvites(session: DialogSession): void {
  for (const invite of session.receivedInvites.values()) invite.terminate();
  for (const invite of session.sentInvites.values()) invite.abandon();
}

/** Confirms a reliable 1xx the application does not hear of. */
export function sendPrack(core: Core, session: DialogSession, rack: string): void {
  const headers = [{ name: 'RAck', value: rack }];
  sendInDialog(core, session, { method: 'PRACK', headers });
}

function sendInDialog(
  core: Core,
  session: DialogSession,
  parts: { method: string; headers: SipHeader[]; onGoing?: (bytes: Buffer) => void },
): void {
  const { dialog } = session;
  const inDialog = dialog.request(parts.method, dialog.nextCSeq());
  const headers = [...inDialog.headers, ...parts.headers];
  const request = plainRequest(parts.method, inDialog.uri, headers);
  const destination = destinationInDialog(inDialog.nextHop, core.layer.listenPoints, session);
  if (destination === undefined) return;
  // Once: with the text as sent, or as it would have been sent if the peer cannot be reached.
  let report = parts.onGoing;
  const tell = (bytes: Buffer): void => {
    report?.(bytes);
    report = undefined;
  };
  const handler: ClientHandler = {
    onSent: tell,
    onResponse: () => undefined,
    onTimeout: () => undefined,
    onTransportError: () => tell(formatSipMessage(transaction.request)),
  };
  const transaction = core.layer.sendRequest(request, destination, handler);
}

/** A request of the engine itself, which needs no more than this. */
export function plainRequest(method: string, uri: string, fields: SipHeader[]): SipRequest {
  const headers = [{ name: 'Max-Forwards', value: '70' }, ...fields];
  return { type: 'request', method, uri, headers, body: Buffer.alloc(0) };
}
