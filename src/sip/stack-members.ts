/**
 * The connections of the stack, each with what lives on it.
 *
 *   opening ── entered ──> serving ── left out of a new configuration ──> retired ── engine closed ──> gone
 *                             ^------------- named again ---------------------'
 */
import { EndedSubscriptions } from './ended-subscriptions.ts';
import type { SipDialog } from './dialog.ts';
import type { IncomingInvite } from './incoming-invite.ts';
import { LostAttempts } from './lost-attempts.ts';
import { LostDialogs } from './lost-dialogs.ts';
import type { SipConnection } from './sip-connection.ts';
import type { StackConnection, StackInterface } from './stack-connection.ts';
import { SubscriptionTable } from './subscription-table.ts';

/** What lives on one connection. */
export interface Table {
  /** Early ones included; by the engine's id and the peer's tag. */
  readonly dialogs: Map<string, SipDialog>;
  /** INVITEs without final answer. */
  readonly waiting: Set<IncomingInvite>;
  /** Dialogs that a SUBSCRIBE opened. */
  readonly subscriptions: SubscriptionTable;
  readonly ended: EndedSubscriptions;
  /** Of a connection that went away. */
  readonly lost: LostDialogs;
  readonly attempts: LostAttempts;
}

/** `retired`: it takes nothing new, what lives on it goes on. */
export type MemberState = 'opening' | 'serving' | 'retired';

export interface Member {
  readonly server: StackConnection;
  readonly interfaces: readonly StackInterface[];
  readonly table: Table;
  connection: SipConnection;
  state: MemberState;
}

/** Nothing leaves on it; whoever tries is told as of a connection that was lost. */
const NO_CONNECTION: SipConnection = {
  hostports: '',
  isUp: false,
  send: (_options, callbacks) => {
    queueMicrotask(() => callbacks.onFailed('connection-lost'));
  },
  close: () => undefined,
};

/** @param holdMs how long answered calls of a lost connection wait for it. */
export function newMember(server: StackConnection, holdMs: number): Member {
  const keepsBranch = server.keepsBranch === true;
  const table: Table = {
    dialogs: new Map(),
    waiting: new Set(),
    subscriptions: new SubscriptionTable(),
    ended: new EndedSubscriptions(),
    lost: new LostDialogs(holdMs, keepsBranch),
    attempts: new LostAttempts(keepsBranch),
  };
  const { interfaces } = server;
  return { server, interfaces, table, connection: NO_CONNECTION, state: 'opening' };
}

/** The connection went away: answered dialogs are held, everything else ends. */
export function loseAll({ dialogs, waiting, subscriptions, lost }: Table): void {
  for (const invite of waiting) invite.presumeAnswered();
  lost.lose(dialogs.values());
  // Each takes itself out of its collection; deleting during iteration is defined.
  for (const invite of waiting) invite.lost();
  subscriptions.loseAll();
}

export class StackMembers {
  readonly #members = new Set<Member>();
  /** Those that serve. */
  readonly #byInterface = new Map<string, Member>();
  readonly #holdMs: number;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** True while every connection that serves stands. */
  get isUp(): boolean {
    return [...this.#members].every(({ connection, state }) => {
      return state !== 'serving' || connection.isUp;
    });
  }

  /** Number of dialogs alive, early ones and those of subscriptions alone included. */
  get dialogCount(): number {
    return [...this.#members].reduce(
      (sum, { table }) => sum + table.dialogs.size + table.subscriptions.size,
      0,
    );
  }

  /** The member behind a sip-interface; of one that is gone one on which nothing leaves. */
  of(interfaceName: string): Member {
    const known = this.#byInterface.get(interfaceName);
    if (known !== undefined) return known;
    const retired = [...this.#members].find(({ interfaces }) => {
      return interfaces.some(({ name }) => name === interfaceName);
    });
    const nobody = { host: '', port: 0, secret: '', interfaces: [] };
    return retired ?? newMember(nobody, this.#holdMs);
  }

  /** The member that is connected in the same way for the same interfaces. */
  find(server: StackConnection): Member | undefined {
    return [...this.#members].find((member) => isSameServer(member.server, server));
  }

  /** These serve from now on, and no others. */
  serve(members: readonly Member[]): void {
    for (const member of this.#members) {
      if (!members.includes(member)) member.state = 'retired';
    }
    this.#byInterface.clear();
    for (const member of members) {
      member.state = 'serving';
      this.#members.add(member);
      for (const { name } of member.interfaces) this.#byInterface.set(name, member);
    }
  }

  /** The engine behind a retired member is gone for good: what still lives on it ends. */
  drop(member: Member): void {
    if (member.state !== 'retired' || !this.#members.delete(member)) return;
    member.connection.close();
    loseAll(member.table);
    member.table.lost.close();
  }

  retiredNamed(interfaceName: string): Member | undefined {
    return [...this.#members].find(({ state, interfaces }) => {
      return state === 'retired' && interfaces.some(({ name }) => name === interfaceName);
    });
  }

  close(): void {
    for (const { connection, table } of this.#members) {
      connection.close();
      table.subscriptions.loseAll();
      table.lost.close();
    }
  }
}

function isSameServer(one: StackConnection, other: StackConnection): boolean {
  return (
    one.host === other.host &&
    one.port === other.port &&
    one.secret === other.secret &&
    namesOf(one) === namesOf(other)
  );
}

function namesOf({ interfaces }: StackConnection): string {
  return interfaces.map(({ name }) => name).join('\n');
}
