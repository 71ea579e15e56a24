import type {
  ClientOutput,
  InviteClient,
} from '../../../../src/engine/transaction/invite-client.ts';
import type {
  InviteServer,
  ServerOutput,
} from '../../../../src/engine/transaction/invite-server.ts';
import type { NonInviteClient } from '../../../../src/engine/transaction/non-invite-client.ts';
import type { NonInviteServer } from '../../../../src/engine/transaction/non-invite-server.ts';
import { sampleResponse } from './sample-messages.ts';

type Packet = { type: 'request' } | { type: 'ack' } | { type: 'response'; status: number };

/** What the network does to the n-th packet of one direction: the delays after which copies arrive; [] is loss. */
export type Fate = (from: 'client' | 'server', index: number) => readonly number[];

export interface LinkPlan {
  readonly client: InviteClient | NonInviteClient;
  readonly createServer: (nowMs: number) => InviteServer | NonInviteServer;
  /** [ms after the request has arrived, status] */
  readonly answers: readonly (readonly [number, number])[];
  readonly fate: Fate;
}

export interface LinkResult {
  /** What the client's user was told: statuses, 'timeout'. */
  readonly delivered: (number | string)[];
  readonly requestsSent: number;
  readonly responsesSent: number;
  readonly acksSent: number;
  /** How often the server's user was given the request. */
  readonly requestsDelivered: number;
  readonly endedAtMs: number;
}

type Event = () => void;

/** Client and server machine of one request, joined by a network that loses, doubles and reorders. */
export function runLink(plan: LinkPlan): LinkResult {
  const link = new Link(plan);
  return link.run();
}

class Link {
  readonly #plan: LinkPlan;
  readonly #events: { atMs: number; order: number; run: Event }[] = [];
  readonly #result = { requestsSent: 0, responsesSent: 0, acksSent: 0, requestsDelivered: 0 };
  readonly #delivered: (number | string)[] = [];
  #server: InviteServer | NonInviteServer | undefined;
  #latestStatus = 0;
  #nowMs = 0;
  #order = 0;
  readonly #sent = { client: 0, server: 0 };

  constructor(plan: LinkPlan) {
    this.#plan = plan;
  }

  run(): LinkResult {
    this.#performClient(this.#plan.client.start(0));
    for (let step = 0; step < 10_000; step += 1) {
      const next = this.#nextAtMs();
      if (next === undefined) {
        return { ...this.#result, delivered: this.#delivered, endedAtMs: this.#nowMs };
      }
      this.#nowMs = next;
      this.#step();
    }
    throw new Error('the machines never end');
  }

  #nextAtMs(): number | undefined {
    const times = [this.#plan.client.expiresAtMs, this.#server?.expiresAtMs, this.#events[0]?.atMs];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.max(this.#nowMs, Math.min(...known));
  }

  #step(): void {
    const event = this.#events[0];
    if (event !== undefined && event.atMs <= this.#nowMs) {
      this.#events.shift();
      event.run();
      return;
    }
    this.#performClient(this.#plan.client.expire(this.#nowMs));
    this.#performServer(this.#server?.expire(this.#nowMs) ?? []);
    if (this.#server?.isEnded === true) this.#server = undefined;
  }

  #at(atMs: number, run: Event): void {
    this.#order += 1;
    this.#events.push({ atMs, order: this.#order, run });
    this.#events.sort((one, other) => one.atMs - other.atMs || one.order - other.order);
  }

  #send(from: 'client' | 'server', packet: Packet): void {
    const delays = this.#plan.fate(from, this.#sent[from]);
    this.#sent[from] += 1;
    for (const delayMs of delays) {
      this.#at(this.#nowMs + delayMs, () => {
        this.#receive(packet);
      });
    }
  }

  #receive(packet: Packet): void {
    if (packet.type === 'response') {
      const response = sampleResponse(packet.status);
      this.#performClient(this.#plan.client.receive(response, this.#nowMs));
    } else if (packet.type === 'ack') {
      const server = this.#server;
      if (server !== undefined && 'receiveAck' in server) server.receiveAck(this.#nowMs);
    } else if (this.#server === undefined) {
      this.#acceptRequest();
    } else {
      this.#performServer(this.#server.receiveRequest());
    }
  }

  #acceptRequest(): void {
    this.#result.requestsDelivered += 1;
    const server = this.#plan.createServer(this.#nowMs);
    this.#server = server;
    for (const [afterMs, status] of this.#plan.answers) {
      this.#at(this.#nowMs + afterMs, () => {
        const outputs = server.respond(status, this.#nowMs);
        if (outputs !== undefined) this.#latestStatus = status;
        this.#performServer(outputs ?? []);
      });
    }
  }

  #performServer(outputs: readonly ServerOutput[]): void {
    for (const output of outputs) {
      if (output.type !== 'sendLatest') continue;
      this.#result.responsesSent += 1;
      this.#send('server', { type: 'response', status: this.#latestStatus });
    }
  }

  #performClient(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'sendRequest') {
        this.#result.requestsSent += 1;
        this.#send('client', { type: 'request' });
      } else if (output.type === 'sendAck') {
        this.#result.acksSent += 1;
        this.#send('client', { type: 'ack' });
      } else if (output.type === 'deliver') {
        this.#delivered.push(output.response.status);
      } else {
        this.#delivered.push(output.type);
      }
    }
  }
}
