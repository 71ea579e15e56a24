/** Routes SUBSCRIBE for as-feature-event to another server by the local policies; nothing is read, nothing is stored. */

import type { Config } from '../config/config.ts';
import { featureKeysModeAt } from '../config/feature-keys-mode.ts';
import type { Log } from '../observe/log.ts';
import type { SubscriptionHandler } from '../sip/event-dialog.ts';
import { eventTypeOf } from '../sip/event-type.ts';
import type { PackageRequest } from '../sip/package-request.ts';
import { type DialogResponse, withoutResponse } from '../sip/request-answer.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import type { AgentRegistry } from '../trunk/agent-registry.ts';
import { isOwnHost, readUri } from '../trunk/hop-uri.ts';
import { type Hop, route } from '../trunk/policy.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader } from '../wire/sip-message.ts';
import { PassDialog, type ServerDialog } from './pass-dialog.ts';
import { passedBody, subscribeFields, subscribeParties } from './pass-messages.ts';
import { FEATURE_PACKAGE } from './subscribe-ladder.ts';

export interface PassRelayParts {
  readonly agents: AgentRegistry;
  readonly log: Log;
  /** Opens a subscription of ours on a sip-interface. */
  readonly subscribe: (
    interfaceName: string,
    target: () => {
      readonly uri: string;
      readonly nextHop: string;
      readonly headers: Record<string, string>;
    },
    handler: SubscriptionHandler,
  ) => ServerDialog;
}

/** Dialogs at a time; more of them get 503. */
const MAX_DIALOGS = 20_000;
/** What a drachtio-server cuts off without a word. */
const SERVER_BODY_BYTES = 12_288;

export class PassRelay {
  readonly #parts: PassRelayParts;
  readonly #dialogs = new Set<PassDialog>();

  #config: Config;

  constructor(config: Config, parts: PassRelayParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** Dialogs that are there go on. */
  reconfigure(config: Config): void {
    this.#config = config;
  }

  get size(): number {
    return this.#dialogs.size;
  }

  /** Takes a SUBSCRIBE outside every dialog; false where feature keys are not passed through, or for another package. */
  receive(request: PackageRequest): boolean {
    const { received, interfaceName } = request;
    const { message } = received;
    if (message.method !== 'SUBSCRIBE' || eventTypeOf(message) !== FEATURE_PACKAGE) return false;
    if (featureKeysModeAt(this.#config, interfaceName) !== 'pass') return false;
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      received.respond(refusal, refusal === 503 ? { headers: { 'Retry-After': '10' } } : {});
      return true;
    }
    const { embedded } = request;
    const dialog = new PassDialog(request.openDialog(), embedded, (over) =>
      this.#dialogs.delete(over),
    );
    this.#dialogs.add(dialog);
    this.#open(request, dialog).catch((error: unknown) => {
      this.#parts.log.error({ err: error }, 'broken invariant');
      received.respond(500, {});
      dialog.close();
    });
    return true;
  }

  close(): void {
    for (const dialog of this.#dialogs) dialog.close();
  }

  #refusalOf({ isAdmitted, embedded, received }: PackageRequest): number | undefined {
    const { message } = received;
    if (!isAdmitted) return 403;
    if (tagOf(getHeader(message, 'To') ?? '') !== undefined) return 481;
    if (maxForwardsOf(received) === 0) return 483;
    if (!embedded && message.body.length > SERVER_BODY_BYTES) return 413;
    return this.#dialogs.size >= MAX_DIALOGS ? 503 : undefined;
  }

  async #open(
    { interfaceName, embedded, received }: PackageRequest,
    dialog: PassDialog,
  ): Promise<void> {
    const found = this.#hops(interfaceName, received);
    if (typeof found === 'number') {
      dialog.answer(received, { ...withoutResponse('no route'), status: found });
      return;
    }
    let response: DialogResponse = withoutResponse('no hop');
    for (const hop of found) {
      response = await this.#try(hop, { received, embedded, dialog });
      if (response.status < 500 && response.status !== 408) break;
    }
    dialog.answer(received, response);
  }

  #try(
    hop: Hop,
    {
      received,
      embedded,
      dialog,
    }: { received: ReceivedRequest; embedded: boolean; dialog: PassDialog },
  ): Promise<DialogResponse> {
    const { message } = received;
    const asked = readUri(message.uri);
    // Credentials are made for the URI that the phone knows; only our own address means nothing to the server.
    const isOurs = asked === undefined || isOwnHost(this.#config, asked.host);
    const uri = isOurs ? hop.requestUri : message.uri;
    const parties = subscribeParties(message, uri);
    const target = (): { uri: string; nextHop: string; headers: Record<string, string> } => ({
      uri,
      nextHop: hop.nextHop,
      headers: parties,
    });
    const server = this.#parts.subscribe(hop.sipInterface.name, target, dialog);
    dialog.server = server;
    const { headers, body } = passedBody(message, embedded);
    return server.request('SUBSCRIBE', {
      headers: {
        ...subscribeFields(message),
        ...headers,
        'Max-Forwards': String(maxForwardsOf(received) - 1),
      },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** In the order of trying, or the status that says why there are none. */
  #hops(interfaceName: string, { message, source }: ReceivedRequest): readonly Hop[] | number {
    const config = this.#config;
    const sipInterface = config.sipInterfaces.find(({ name }) => name === interfaceName);
    if (sipInterface === undefined) return 503;
    const transport =
      source.protocol === 'tcp' || source.protocol === 'tls' ? source.protocol : 'udp';
    const fromAgent = this.#parts.agents.match(sipInterface, { ...source, transport });
    const asked = {
      fromRealm: sipInterface.realm,
      fromAgent,
      sipInterface,
      calledNumber: readUri(message.uri)?.user ?? '',
      requestUri: message.uri,
      atMs: Date.now(),
    };
    // A policy for SUBSCRIBE alone comes first; without one it goes where the calls go.
    const own = route(config, { ...asked, method: 'SUBSCRIBE' }, this.#parts.agents);
    const found = own.type === 'reject' ? route(config, asked, this.#parts.agents) : own;
    return found.type === 'reject' ? found.status : found.hops;
  }
}

function maxForwardsOf({ message }: ReceivedRequest): number {
  const value = (getHeader(message, 'Max-Forwards') ?? '').trim();
  return /^\d{1,3}$/.test(value) ? Math.min(Number(value), 70) : 70;
}
