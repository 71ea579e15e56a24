/**
 * One end of a simulated call: a phone or a carrier that follows its script, with the SIP side of the SBC as its own.
 *
 *   script -> Endpoint -> SipStack -> MemoryEngine -> MemoryNetwork        EndpointMedia -> MemoryNetwork
 */
import { SipStack } from '../sip/stack.ts';
import type { DialogHandler, SipDialog } from '../sip/dialog.ts';
import { isKpmlSubscribe } from '../sip/event-type.ts';
import type { ReceivedRequest, SipHeaders } from '../sip/sip-connection.ts';
import { hasKpml } from '../wire/allow-events.ts';
import type { MediaDirection } from '../wire/sdp-media.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import { EndpointKeys } from './endpoint-keys.ts';
import { EndpointMedia } from './endpoint-media.ts';
import { EndpointSdp } from './endpoint-sdp.ts';
import { MemoryEngine } from './memory-engine.ts';
import type { MemoryNetwork, SipPlace } from './memory-network.ts';
import { ringAndAnswer } from './endpoint-answer.ts';
import type { EndAction, EndScript, CalleeScript, SdpSource } from './scenario.ts';

/** The one line that an end has. */
export const LINE = 'line';

const SDP_TYPE = { 'Content-Type': 'application/sdp' };
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, SUBSCRIBE, NOTIFY, REFER';

export interface EndpointOptions {
  readonly place: SipPlace;
  /** Where its RTP is awaited, unless its SDP says otherwise. */
  readonly rtpPort: number;
  readonly user: string;
  readonly script: EndScript;
  /** What it does when it is called; absent: it only calls. */
  readonly callee?: CalleeScript;
  readonly network: MemoryNetwork;
  readonly onBug: (error: unknown) => void;
}

/** How its part of the call came out. */
export interface EndpointOutcome {
  readonly status: number;
  readonly reason: string;
}

/** Where an INVITE goes, and its From value. */
export interface CallTarget {
  readonly uri: string;
  readonly nextHop: string;
  readonly from: string;
}

export class Endpoint {
  readonly keys: EndpointKeys;
  readonly media: EndpointMedia;
  readonly sdp: EndpointSdp;
  readonly options: EndpointOptions;
  outcome: EndpointOutcome | undefined;
  readonly #stack: SipStack;
  #dialog: SipDialog | undefined;
  #isOver = false;
  #cancel: () => void = () => undefined;
  /** An offer of ours waits for its answer in an ACK. */
  #awaitsAck = false;
  /** What waits for the ACK of the first 2xx. */
  #onAcknowledged: () => void = () => undefined;

  private constructor(options: EndpointOptions, stack: SipStack) {
    const { network, place, rtpPort, script, onBug } = options;
    this.options = options;
    this.#stack = stack;
    this.keys = new EndpointKeys(script, onBug);
    this.sdp = new EndpointSdp(script.sdp, { address: place.host, port: rtpPort });
    this.media = new EndpointMedia({
      network,
      place: this.sdp.place,
      loss: script.rtpLoss,
      onSent: (keyId) => this.keys.sentInMedia(keyId),
      onHeard: (digit) => this.keys.hear(digit, 'rtp'),
    });
  }

  static async open(options: EndpointOptions): Promise<Endpoint> {
    const { place, network, onBug, callee } = options;
    let endpoint: Endpoint | undefined;
    const stack = await SipStack.start(
      [
        {
          ...NOWHERE,
          interfaces: [{ name: LINE, hostports: [] }],
          connect: async (application) => new MemoryEngine([place], network, application),
        },
      ],
      {
        onInvite: (invite) => {
          if (endpoint === undefined || callee === undefined) invite.reject(480);
          else ringAndAnswer(endpoint, invite, callee).catch(onBug);
        },
        onSubscribe: (subscription) => endpoint?.keys.receiveSeparate(subscription),
        onStateChange: () => undefined,
        onBug,
        isDraining: () => false,
        isAdmitted: () => true,
        relayedMethods: () => [],
        mayReplace: () => false,
        onStray: () => false,
        onAnswered: () => undefined,
      },
    );
    endpoint = new Endpoint(options, stack);
    return endpoint;
  }

  /** Answered, and not over yet. */
  get isTalking(): boolean {
    return this.#dialog !== undefined && !this.#isOver;
  }

  /** Whether the end has no more part in the call. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends the INVITE; what becomes of it shows in `outcome`. */
  call({ uri, nextHop, from }: CallTarget): void {
    const { script } = this.options;
    const body = script.isDelayed ? undefined : this.sdp.offer();
    const headers = { From: from, To: `<${uri}>`, ...this.headers(body), ...script.headers };
    const content = body === undefined ? {} : { body };
    const invite = this.#stack.invite(
      { interfaceName: LINE, uri, nextHop, headers, ...content },
      {
        onSent: () => undefined,
        onProgress: (response) => this.follow(response),
        onAnswer: (answer) => {
          const { response, dialog } = answer;
          const offer = response.body.toString();
          const isAnswerDue = body === undefined && offer !== '';
          answer.acknowledge(isAnswerDue ? this.sdp.answer(offer) : undefined);
          this.outcome = { status: response.status, reason: response.reason };
          this.answered(dialog, response);
        },
        onFailure: (status, reason) => {
          this.outcome = { status, reason };
          this.end();
        },
      },
      this.handler,
    );
    this.#cancel = () => invite.cancel();
  }

  /** Carries out one action of the script; says why not if it cannot, '' if it can. */
  async act(action: EndAction): Promise<string> {
    let problem = '';
    switch (action.type) {
      case 'press':
        await this.keys.press(action, this.media);
        break;
      case 'rtp-loss':
        this.media.loss = action.ratio;
        break;
      case 'cancel':
        this.#cancel();
        break;
      case 'hang-up':
        problem = await this.#hangUp();
        break;
      case 'hold':
        problem = await this.#renegotiate('sendonly');
        break;
      case 'resume':
        problem = await this.#renegotiate('sendrecv');
        break;
      case 're-invite':
        problem = await this.#renegotiate('sendrecv', action.sdp);
        break;
      case 'subscribe':
        await this.keys.subscribe(action.pattern);
        break;
    }
    return problem;
  }

  /** Ends whatever it still has a part in. */
  async leave(): Promise<void> {
    if (this.isTalking) await this.#hangUp();
    else if (this.outcome === undefined) this.#cancel();
  }

  /** Takes its ports away; nothing is sent any more. */
  close(): void {
    this.end();
    this.#stack.close();
  }

  /** Headers of an INVITE or an answer of it. */
  headers(body?: string): SipHeaders {
    const { place, user, script } = this.options;
    const { transport, host, port } = place;
    const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
    return {
      Contact: `<sip:${user}@${formatHostPort(host, port)}${parameter}>`,
      Allow: ALLOW,
      ...(script.allowEvents === '' ? {} : { 'Allow-Events': script.allowEvents }),
      ...(body === undefined ? {} : SDP_TYPE),
    };
  }

  /** The call stands; `message` is what the other side said of itself. */
  answered(dialog: SipDialog, message: SipMessage): void {
    this.#dialog = dialog;
    this.follow(message);
    const attach = (): void => this.keys.attach(dialog, hasKpml(message));
    if (dialog.identity.role === 'uac') attach();
    else this.#onAcknowledged = attach;
  }

  /** An offer has left in a 2xx: the answer comes in the ACK. */
  awaitAnswer(): void {
    this.#awaitsAck = true;
  }

  /** Sends its media as the SDP in `message` wants it. */
  follow(message: Pick<SipMessage, 'body'>): void {
    const text = message.body.toString();
    if (!text.startsWith('v=0')) return;
    const agreement = this.sdp.agreement(text);
    if (agreement !== undefined) this.media.agree(agreement);
  }

  end(): void {
    this.#isOver = true;
    this.keys.end();
    this.media.close();
  }

  readonly handler: DialogHandler = {
    onRequest: (request, dialog) => this.#receive(request, dialog),
    onAck: (body) => {
      if (this.#awaitsAck && body !== '') this.follow({ body: Buffer.from(body) });
      this.#awaitsAck = false;
      this.#onAcknowledged();
      this.#onAcknowledged = () => undefined;
    },
    onEnd: () => this.end(),
    onTrace: () => undefined,
  };

  #receive(request: ReceivedRequest, dialog: SipDialog): void {
    const { message } = request;
    switch (message.method) {
      case 'INVITE':
      case 'UPDATE':
        this.#receiveOffer(request, dialog);
        break;
      case 'SUBSCRIBE':
        if (isKpmlSubscribe(message)) this.keys.receiveSubscribe(request, dialog);
        else dialog.respond(request, 489);
        break;
      case 'NOTIFY':
        if (getHeader(message, 'Event')?.startsWith('kpml') === true) {
          this.keys.receiveNotify(request, dialog);
        } else dialog.respond(request, 481);
        break;
      case 'INFO':
        this.keys.receiveInfo(request, dialog);
        break;
      case 'REFER':
        dialog.respond(request, 603);
        break;
      default:
        dialog.respond(request, 200);
    }
  }

  #receiveOffer(request: ReceivedRequest, dialog: SipDialog): void {
    const offer = request.message.body.toString();
    const isEmpty = offer === '';
    if (isEmpty && request.message.method === 'UPDATE') {
      dialog.respond(request, 200);
      return;
    }
    const body = isEmpty ? this.sdp.offer() : this.sdp.answer(offer);
    if (isEmpty) this.awaitAnswer();
    dialog.respond(request, 200, { headers: this.headers(body), body });
    this.follow(request.message);
  }

  async #renegotiate(direction: MediaDirection, source?: SdpSource): Promise<string> {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#isOver) return 'there is no call';
    const isDelayed = source?.type === 'none';
    const body = isDelayed ? undefined : this.sdp.offer(direction, source);
    const content = body === undefined ? {} : { body };
    const response = await dialog.request('INVITE', { headers: this.headers(body), ...content });
    const { status, reason, message } = response;
    if (status >= 300) return `the re-INVITE got ${status} ${reason}`;
    const offer = message?.body.toString() ?? '';
    response.acknowledge(isDelayed && offer !== '' ? this.sdp.answer(offer) : undefined);
    if (message !== undefined) this.follow(message);
    return '';
  }

  async #hangUp(): Promise<string> {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#isOver) return 'there is no call';
    await dialog.bye();
    this.end();
    return '';
  }
}

const NOWHERE = { host: '', port: 0, secret: '' };
