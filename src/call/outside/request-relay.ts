/**
 * Requests outside every dialog that go on to a session agent or group, as `methods` of the sender say, or to a device
 * that has registered through us. Each is answered by what the other side answers.
 *
 *   REGISTER, MESSAGE, PUBLISH, NOTIFY, INFO -> checks as for INVITE -> hops in turn -> answer, 408 or 503
 */
import assert from 'node:assert/strict';
import type { Config, Realm } from '../../config/config.ts';
import { RELAYED_METHODS, relayTarget } from '../../config/method-relay.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { DialogResponse } from '../../sip/request-answer.ts';
import type { PeerSource, ReceivedRequest } from '../../sip/sip-connection.ts';
import type { SipStack } from '../../sip/stack.ts';
import type { CallAdmission } from '../../trunk/admission.ts';
import type { AgentRegistry, RequestSource } from '../../trunk/agent-registry.ts';
import type { Hop } from '../../trunk/policy.ts';
import { relayHops } from '../../trunk/relay-hops.ts';
import { ownText } from '../../wire/own-bytes.ts';
import { parseNameAddr } from '../../wire/sip-headers.ts';
import { getHeader, type SipRequest } from '../../wire/sip-message.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import { CallLeg, hopTransport } from '../call-leg.ts';
import { deviceHop } from './device-route.ts';
import { featureEvents } from './feature-events.ts';
import { verdictOf } from '../end-cause.ts';
import { isDamaged, maxForwardsOf, userOf } from '../headers/header-policy.ts';
import type { Registrations } from './registrations.ts';
import {
  registrarContact,
  type Registrant,
  takeGranted,
  type WantedContacts,
  wantedContacts,
} from './relayed-contacts.ts';
import { passesDigest, relayedAnswer, relayedRequest, type RelayPath } from './relayed-messages.ts';
import { refusalOfAll, retryAfter } from '../room-for-calls.ts';

export interface RelayParts {
  readonly stack: Pick<SipStack, 'request'>;
  readonly agents: AgentRegistry;
  readonly registrations: Registrations;
  readonly admission: Pick<CallAdmission, 'obstacle'>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly nowMs: () => number;
}

/** Requests that wait for their answers at a time; more of them get 503. */
const MAX_WAITING = 1000;

/** What a device may be sent that is registered through us. */
const TO_DEVICES: readonly string[] = ['MESSAGE', 'NOTIFY', 'INFO'];

export class RequestRelay {
  readonly #parts: RelayParts;
  readonly #isDraining: () => boolean;
  #config: Config;
  #waiting = 0;

  constructor(config: Config, parts: RelayParts, isDraining: () => boolean) {
    this.#config = config;
    this.#isDraining = isDraining;
    this.#parts = parts;
  }

  reconfigure(config: Config): void {
    this.#config = config;
  }

  /** Methods that `source` may send outside dialogs because they are relayed. */
  methodsFor(interfaceName: string, source: PeerSource): readonly string[] {
    const from = this.#sender(interfaceName, source);
    return RELAYED_METHODS.filter((method) => relayTarget(method, from) !== undefined);
  }

  /** Whether `source` may have an INVITE with Replaces, and is told so by OPTIONS. */
  mayReplace(interfaceName: string, source: PeerSource): boolean {
    return this.#sender(interfaceName, source).settings.replaces.value;
  }

  /** Takes a request of a sender that is admitted; false when it is not relayed. */
  receive(interfaceName: string, request: ReceivedRequest): boolean {
    const { message, source } = request;
    const from = this.#sender(interfaceName, source);
    const hops = this.#hops(message, from);
    if (hops === undefined) return false;
    const refusal = refusalOfAll(this.#isDraining(), this.#parts);
    if (refusal !== undefined) {
      request.respond(verdictOf(refusal.cause).status, { headers: refusal.headers });
    } else if (maxForwardsOf(message) === 0) request.respond(483, {});
    else if (isDamaged(message)) request.respond(415, {});
    else if (hops.length === 0 || this.#waiting >= MAX_WAITING) {
      request.respond(503, { headers: retryAfter(503) });
    } else this.#begin(request, from, hops);
    return true;
  }

  #begin(request: ReceivedRequest, from: CallLeg, hops: readonly Hop[]): void {
    this.#waiting += 1;
    this.#relay(request, from, hops)
      .catch((error: unknown) => {
        if (error instanceof WireError) {
          request.respond(400, {});
          return;
        }
        const { metrics, log } = this.#parts;
        metrics.bug();
        log.error({ err: error }, 'broken invariant');
        request.respond(500, {});
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  async #relay(request: ReceivedRequest, from: CallLeg, hops: readonly Hop[]): Promise<void> {
    const { message } = request;
    const wanted: WantedContacts =
      message.method === 'REGISTER' ? wantedContacts(message) : { type: 'query' };
    const { registrations, nowMs } = this.#parts;
    if (wanted.type === 'unusable') {
      request.respond(400, {});
      return;
    }
    if (wanted.type === 'contacts' && !registrations.hasRoom(nowMs())) {
      request.respond(503, { headers: retryAfter(503) });
      return;
    }
    for (const [index, hop] of hops.entries()) {
      const isLast = index === hops.length - 1;
      const path = { from, to: CallLeg.towards(hop, this.#realm(hop.sipInterface.realm)) };
      const registrant = registrantOf(request, path);
      const response = await this.#send(message, path, { hop, wanted, registrant });
      if (!isLast && response.status >= 500 && response.status < 600) continue;
      this.#answer(request, path, { response, wanted, registrant });
      return;
    }
  }

  #send(
    message: SipRequest,
    path: RelayPath,
    { hop, wanted, registrant }: { hop: Hop; wanted: WantedContacts; registrant: Registrant },
  ): Promise<DialogResponse> {
    const { stack, agents, registrations } = this.#parts;
    const { method } = message;
    const { uri, headers, body } = relayedRequest(message, path, hop, this.#config);
    const transport = hopTransport(hop);
    const contact =
      method === 'REGISTER'
        ? registrarContact(wanted, registrant, { registrations, transport })
        : {};
    return stack.request(
      {
        interfaceName: hop.sipInterface.name,
        method,
        uri,
        nextHop: hop.nextHop,
        headers: { ...headers, ...contact },
        ...(body === undefined ? {} : { body }),
      },
      passesDigest(method, path.to) ? undefined : agents.digestOf(hop.agent),
    );
  }

  #answer(
    request: ReceivedRequest,
    path: RelayPath,
    outcome: { response: DialogResponse; wanted: WantedContacts; registrant: Registrant },
  ): void {
    const { response, wanted, registrant } = outcome;
    const { registrations, nowMs, log } = this.#parts;
    const { message } = request;
    const { method } = message;
    const agent = path.to.agent?.name;
    log.debug({ method, agent, status: response.status }, 'request relayed');
    if (response.message === undefined) {
      request.respond(response.status, { headers: retryAfter(response.status) });
      return;
    }
    const isGranted = method === 'REGISTER' && response.status < 300;
    const context = { registrations, nowMs: nowMs() };
    const contact = isGranted ? takeGranted(response.message, wanted, registrant, context) : {};
    const { sipInterface } = path.from;
    const events = isGranted
      ? featureEvents(response.message, registrant.aor, this.#config, sipInterface)
      : {};
    const added = { ...contact, ...events };
    const { status, options } = relayedAnswer(response.message, path, message, added);
    request.respond(status, options);
  }

  /** `undefined` when the request is none to be relayed; no hops when nobody can take it now. */
  #hops(message: SipRequest, from: CallLeg): readonly Hop[] | undefined {
    const { registrations, agents, nowMs } = this.#parts;
    const config = this.#config;
    const { method, uri } = message;
    const user = userOf(uri);
    const binding = registrations.find(user, from.sipInterface.name, nowMs());
    if (binding !== undefined && TO_DEVICES.includes(method)) {
      const hop = deviceHop(config, binding, agents);
      return hop === undefined ? [] : [hop];
    }
    const target = relayTarget(method, from);
    if (target === undefined) return undefined;
    const hops = relayHops(config, target, user, agents);
    // What the agent itself has sent does not go back to it.
    const others = hops.filter(({ agent }) => agent?.name !== from.agent?.name);
    return others.length === 0 && hops.length > 0 ? undefined : others;
  }

  #sender(interfaceName: string, peer: PeerSource): CallLeg {
    const sipInterface = this.#config.sipInterfaces.find(({ name }) => name === interfaceName);
    assert(sipInterface !== undefined, `no sip-interface ${interfaceName}`);
    const { address, port, protocol } = peer;
    const transport = protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp';
    const source: RequestSource = { address, port, transport };
    return new CallLeg({
      side: 'caller',
      sipInterface,
      realm: this.#realm(sipInterface.realm),
      agent: this.#parts.agents.match(sipInterface, source),
      remote: formatHostPort(address, port),
      transport,
    });
  }

  #realm(name: string): Realm {
    const realm = this.#config.realms.find((item) => item.name === name);
    assert(realm !== undefined, `no realm ${name}`);
    return realm;
  }
}

function registrantOf({ message, source }: ReceivedRequest, { from, to }: RelayPath): Registrant {
  const { address, port, protocol } = source;
  return {
    aor: ownText(parseNameAddr(getHeader(message, 'To') ?? '').uri),
    interfaceName: from.sipInterface.name,
    source: { address: ownText(address), port, protocol: ownText(protocol) },
    registrarInterface: to.sipInterface.name,
  };
}
