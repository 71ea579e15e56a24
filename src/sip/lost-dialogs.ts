/**
 * Dialogs whose connection went away. What the peer is told, and when:
 *
 *   connection lost ── answered dialogs are held: their calls keep the media ──┬─ connection back ─┐
 *                                                                              └─ hold over ───────┴─ call ends
 *   connection back ── each peer gets a BYE: in its dialog if the server still has that, else built from what we know
 *   lost before the server has said what became of that ── the BYE again when it is back, three times in all
 *
 * No server gives dialogs back to an application that was away: requests of the peer inside them never arrive again.
 * Recovery would leave calls that cannot be hung up, so they end.
 */
import type { DialogIdentity, SipDialog } from './dialog.ts';
import { routeAlong } from '../wire/route-set.ts';
import { type DialogResponse, sendAndWait, withoutResponse } from './request-answer.ts';
import type { SendOptions, SipConnection, SipHeaders } from './sip-connection.ts';

/** A peer is not bothered with a call that it has long given up itself, milliseconds. */
const FAREWELL_LIFETIME_MS = 300_000;

/** An engine that goes down with a BYE each time is not to be brought down for ever. */
const MOST_FAREWELLS = 3;

/** Above every number that the engine may have used in the dialog; no request follows (RFC 3261 §12.2.1.1). */
const LAST_CSEQ = 2_000_000_000;

export class LostDialogs {
  readonly #holdMs: number;
  readonly #takesRoutes: boolean;
  /** With the number of BYEs that were sent behind the loss. */
  readonly #lost = new Map<SipDialog, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param takesRoutes whether the server sends a Route header of ours: not every server does */
  constructor(holdMs: number, takesRoutes: boolean) {
    this.#holdMs = holdMs;
    this.#takesRoutes = takesRoutes;
  }

  /** The connection of `dialogs` is gone; early ones end at once, as nothing is promised for them. */
  lose(dialogs: Iterable<SipDialog>): void {
    // Those that end take themselves out of their table; deleting during iteration is defined.
    for (const dialog of dialogs) {
      if (dialog.hold() || dialog.isEnding) this.#lost.set(dialog, 0);
      else dialog.lost();
    }
    this.#stopTimer();
    if (this.#holdMs === 0) this.#giveUp();
    else if (this.#lost.size > 0) {
      this.#timer = setTimeout(() => this.#giveUp(), this.#holdMs);
    }
  }

  /** A dialog that we ended while the connection was gone, though nobody had noticed that yet. */
  add(dialog: SipDialog, farewells = 0): void {
    if (this.#isClosed) return;
    this.#lost.set(dialog, farewells);
    this.#timer ??= this.#forgetLater();
  }

  /** The connection is back: the calls end, their peers are released. */
  regain(connection: SipConnection): void {
    for (const [dialog, farewells] of this.#takeAll()) {
      dialog.lost();
      void this.#part(connection, dialog, farewells + 1);
    }
  }

  /** Ends what is held without a word to the peers. */
  close(): void {
    this.#isClosed = true;
    for (const [dialog] of this.#takeAll()) dialog.lost();
  }

  async #part(connection: SipConnection, dialog: SipDialog, farewells: number): Promise<void> {
    const { reason } = await sendFarewell(connection, dialog, this.#takesRoutes);
    if (reason === 'connection-lost' && farewells < MOST_FAREWELLS) this.add(dialog, farewells);
  }

  /** The calls end; the peers are told if the connection still comes back. */
  #giveUp(): void {
    this.#stopTimer();
    for (const dialog of this.#lost.keys()) dialog.lost();
    if (this.#lost.size > 0) this.#timer = this.#forgetLater();
  }

  #forgetLater(): NodeJS.Timeout {
    return setTimeout(() => this.#takeAll(), FAREWELL_LIFETIME_MS);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #takeAll(): (readonly [SipDialog, number])[] {
    this.#stopTimer();
    const taken = [...this.#lost];
    this.#lost.clear();
    return taken;
  }
}

/** Sends the BYE that a peer did not get; what it answers changes nothing any more. */
async function sendFarewell(
  connection: SipConnection,
  dialog: SipDialog,
  takesRoutes: boolean,
): Promise<DialogResponse> {
  const { identity, parting, trace } = dialog;
  const { dialogId, remoteTag, remoteTarget } = identity;
  // Forks share the dialog id: the tag says which of them is meant.
  const To = `<sip:placeholder@localhost>;tag=${remoteTag}`;
  if (dialogId !== '') {
    const inside = { method: 'BYE', uri: 'sip:placeholder', dialogId, headers: { ...parting, To } };
    const response = await sendAndWait(connection, inside, { onTrace: trace });
    if (response.message !== undefined || response.reason !== 'no-dialog') return response;
  }
  if (remoteTarget === undefined) return withoutResponse('no-dialog');
  const bye = byeOutside({ ...identity, remoteTarget }, parting, takesRoutes);
  return await sendAndWait(connection, bye, { onTrace: trace });
}

/**
 * The whole BYE of a dialog that the server does not have (RFC 3261 §12.2.1.1). A server that writes Route by itself
 * takes no route set: there it gets no further than one proxy, and what it is for stands in the Request-URI even if that
 * proxy is a strict router.
 */
function byeOutside(
  identity: DialogIdentity & { readonly remoteTarget: string },
  parting: SipHeaders,
  takesRoutes: boolean,
): SendOptions {
  const { callId, localTag, remoteTag, remoteTarget, routeSet = [] } = identity;
  const { localUri = 'sip:localhost', remoteUri = remoteTarget } = identity;
  const { uri, routes, nextHop } = routeAlong(routeSet, remoteTarget);
  const headers = {
    ...parting,
    From: `<${localUri}>;tag=${localTag}`,
    To: `<${remoteUri}>;tag=${remoteTag}`,
    'Call-ID': callId,
    CSeq: `${LAST_CSEQ} BYE`,
  };
  if (routeSet.length === 0) return { method: 'BYE', uri, headers };
  if (!takesRoutes) return { method: 'BYE', uri: remoteTarget, headers, nextHop };
  return { method: 'BYE', uri, headers: { ...headers, Route: routes.join(', ') }, nextHop };
}
