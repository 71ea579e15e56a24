/** Two peers, an engine and an application, and what tests of dialogs say again and again. */

import { getHeader } from '../../src/wire/sip-message.ts';
import type { SipRequest } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from './engine-app.ts';
import type { App, AppDialog, AppMessage, AppRequest, AppResponse } from './engine-app.ts';
import { PeerCall, SDP, token } from './engine-peer.ts';
import type { EnginePeer } from './engine-peer.ts';

/** T1 of 40 ms: 64*T1, after which everything is given up, is 2.6 s. */
const FAST = { t1Ms: 40, t2Ms: 160, t4Ms: 200 };

/** An INVITE of a peer as the application has it. */
export interface Offered {
  readonly request: AppRequest;
  readonly response: AppResponse;
}

export interface EngineStage {
  readonly bench: EngineBench;
  readonly app: App;
  /** Calls the application. */
  readonly alice: EnginePeer;
  /** Is called by the application. */
  readonly bob: EnginePeer;
  readonly call: PeerCall;
  readonly offered: Promise<Offered>;
  /** SUBSCRIBEs that the library knows no dialog of; answered 200. */
  readonly subscribed: readonly AppRequest[];
}

export async function openEngineStage(): Promise<EngineStage> {
  const bench = await EngineBench.start({ timers: FAST });
  const alice = await bench.peer();
  const bob = await bench.peer();
  const offered = signal<Offered>();
  const subscribed: AppRequest[] = [];
  const app = await bench.app((srf) => {
    srf.invite((request, response) => offered.resolve({ request, response }));
    srf.subscribe((request, response) => {
      subscribed.push(request);
      response.send(200, { headers: { Expires: '60' } });
    });
  });
  const call = new PeerCall(alice);
  return { bench, app, alice, bob, call, offered: offered.promise, subscribed };
}

export function contactOf(peer: EnginePeer): string {
  return `Contact: <sip:me@${peer.address}>`;
}

/** Alice calls, `extra` in her INVITE. */
export function arrive(
  { call, offered }: EngineStage,
  extra: readonly string[] = [],
): Promise<Offered> {
  call.invite(extra);
  return offered;
}

/** Alice calls and the application answers. */
export async function answer(
  stage: EngineStage,
  extra: readonly string[] = [],
): Promise<AppDialog> {
  const { request, response } = await arrive(stage, extra);
  const dialog = await stage.app.createUAS(request, response, { localSdp: SDP });
  stage.call.follow(await stage.alice.response(200, 'INVITE'));
  stage.call.ack();
  return dialog;
}

/** Sends a provisional answer and resolves when it is on the wire. */
export function progress(response: AppResponse, status: number, options: object): Promise<unknown> {
  return new Promise((resolve) => {
    response.send(status, options, resolve);
  });
}

/** An INVITE of the application to bob, and the dialog id it has there. */
export async function dial({ app, bob }: EngineStage): Promise<{
  invite: SipRequest;
  made: Promise<AppDialog>;
  id: string;
}> {
  const options = { localSdp: SDP, headers: { Supported: '100rel' } };
  const made = app.createUAC(`sip:bob@${bob.address}`, options);
  made.catch(() => undefined);
  const invite = await bob.request('INVITE');
  const tag = tagIn(getHeader(invite, 'From'));
  return { invite, made, id: `${getHeader(invite, 'Call-ID')};from-tag=${tag}` };
}

export function tagIn(value: string | undefined): string {
  return /;tag=([^;]+)/.exec(value ?? '')?.[1] ?? '';
}

/** Bob's branch `tag` sends a request in the dialog that `invite` began. */
export function sendFromBranch(
  { bob, bench }: EngineStage,
  branch: { readonly tag: string; readonly invite: SipRequest },
  request: { readonly method: string; readonly cseq: number; readonly extra?: readonly string[] },
): void {
  const { tag, invite } = branch;
  const { method, cseq, extra = [] } = request;
  bob.send([
    `${method} sip:app@127.0.0.1:${bench.sipPort} SIP/2.0`,
    `Via: SIP/2.0/UDP ${bob.address};branch=z9hG4bK${token()}`,
    'Max-Forwards: 70',
    `From: ${getHeader(invite, 'To') ?? ''};tag=${tag}`,
    `To: ${getHeader(invite, 'From') ?? ''}`,
    `Call-ID: ${getHeader(invite, 'Call-ID') ?? ''}`,
    `CSeq: ${cseq} ${method}`,
    contactOf(bob),
    ...extra,
  ]);
}

/** A request of the application by dialog id; `undefined` when the engine has no such dialog. */
export function sendInDialog(
  { app }: Pick<EngineStage, 'app'>,
  id: string,
  method: string,
  headers: object = {},
): Promise<AppMessage | undefined> {
  return new Promise((resolve) => {
    const options = { method, stackDialogId: id, headers };
    app.request('sip:placeholder', options, (error, request) => {
      if (error !== null) resolve(undefined);
      else request.on('response', resolve);
    });
  });
}

/** The dialog id of alice's call. */
export function idOf(call: PeerCall): string {
  return `${call.callId};from-tag=${call.fromTag}`;
}

export function cseqOf(message: SipRequest): number {
  return Number.parseInt(getHeader(message, 'CSeq') ?? '', 10);
}

/** The next request of `method` at `peer` with `value` in the header `name`; copies of earlier ones are passed over. */
export function requestWith(
  peer: EnginePeer,
  method: string,
  [name, value]: readonly [name: string, value: string],
): Promise<SipRequest> {
  return peer.next(
    (each): each is SipRequest =>
      each.type === 'request' &&
      each.method === method &&
      (getHeader(each, name) ?? '').includes(value),
  );
}
