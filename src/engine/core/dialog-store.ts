import type { AppConnection } from '../admin/app-connection.ts';
import type { MessageIdentity } from '../dialog/identity.ts';
import type { DialogSession } from './dialog-session.ts';

/** All dialogs of one engine, early ones included. */
export class DialogStore {
  /** By Call-ID, local and remote tag. */
  readonly #byTags = new Map<string, DialogSession>();
  /** By the id applications use; forks of one INVITE share it. */
  readonly #byId = new Map<string, Set<DialogSession>>();
  /** How many dialogs share a Call-ID. */
  readonly #callIds = new Map<string, number>();

  get size(): number {
    return this.#byTags.size;
  }

  add(session: DialogSession): void {
    const { dialog } = session;
    const key = tagKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    if (!this.#byTags.has(key)) this.#countCallId(dialog.callId, 1);
    this.#byTags.set(key, session);
    const sessions = this.#byId.get(dialog.id) ?? new Set();
    this.#byId.set(dialog.id, sessions.add(session));
  }

  /** Ends the dialog; its id stays usable for nothing. */
  remove(session: DialogSession): void {
    const { dialog } = session;
    dialog.end();
    session.close();
    const key = tagKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    if (this.#byTags.get(key) === session) {
      this.#byTags.delete(key);
      this.#countCallId(dialog.callId, -1);
    }
    const sessions = this.#byId.get(dialog.id);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byId.delete(dialog.id);
  }

  /** The dialog a request of the peer belongs to. */
  ofRequest(identity: MessageIdentity): DialogSession | undefined {
    const { callId, fromTag, toTag } = identity;
    return toTag === undefined ? undefined : this.#byTags.get(tagKey(callId, toTag, fromTag));
  }

  /** The dialog a response of the peer belongs to. */
  ofResponse(identity: MessageIdentity): DialogSession | undefined {
    const { callId, fromTag, toTag } = identity;
    return toTag === undefined ? undefined : this.#byTags.get(tagKey(callId, fromTag, toTag));
  }

  /** The dialogs an application means by `id`: the confirmed one first, then the latest early one. */
  ofApp(id: string, owner: AppConnection): readonly DialogSession[] {
    const own = [...(this.#byId.get(id) ?? [])].filter((session) => session.owner === owner);
    const latestFirst = own.toReversed();
    const confirmed = latestFirst.filter((session) => session.dialog.phase === 'confirmed');
    return [...confirmed, ...latestFirst.filter((session) => !confirmed.includes(session))];
  }

  /** Whether any dialog has this Call-ID. */
  hasCallId(callId: string): boolean {
    return this.#callIds.has(callId);
  }

  /** Whether a call has that id, those apart whose INVITE is already refused. */
  has(id: string): boolean {
    return [...(this.#byId.get(id) ?? [])].some((session) => !session.isLingering);
  }

  values(): Iterable<DialogSession> {
    return this.#byTags.values();
  }

  ofOwner(owner: AppConnection): readonly DialogSession[] {
    return [...this.#byTags.values()].filter((session) => session.owner === owner);
  }

  #countCallId(callId: string, step: 1 | -1): void {
    const count = (this.#callIds.get(callId) ?? 0) + step;
    if (count > 0) this.#callIds.set(callId, count);
    else this.#callIds.delete(callId);
  }
}

function tagKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}
