import { startEngineThread } from '../../src/engine/engine-thread.ts';
import { getHeader } from '../../src/wire/sip-message.ts';
import type { SipMessage, SipResponse } from '../../src/wire/sip-message.ts';
import { connectApp } from './engine-app.ts';
import type { App, AppDialog, AppRequest, AppResponse } from './engine-app.ts';
import { EnginePeer, PeerCall, SDP } from './engine-peer.ts';

/** Requests the library answers by itself, or forgets, when their listener is not there yet. */
export const EARLY_REQUESTS = ['SUBSCRIBE', 'INVITE', 'BYE'] as const;
export type EarlyRequest = (typeof EARLY_REQUESTS)[number];

/** How many early requests of one kind found the application's listener. */
export interface PacingCount {
  readonly found: number;
  /** What became of the others. */
  readonly lost: readonly string[];
}

/** Only the application's own listener answers a re-INVITE with this port. */
const MODIFIED_SDP = SDP.replace('m=audio 4000', 'm=audio 4002');

/**
 * Calls an application that writes `await createUAS(…)` and only then attaches its listeners. Each call sends
 * one early request in the same millisecond as the ACK; there are `callsPerKind` of each kind, by `peerCount`
 * callers at the same time. The engine has a thread of its own, as in the program.
 */
export async function countEarlyRequests(
  peerCount: number,
  callsPerKind: number,
): Promise<ReadonlyMap<EarlyRequest, PacingCount>> {
  const listen = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
  const admin = { host: '127.0.0.1', port: 0 };
  const thread = await startEngineThread([{ name: 'access', listen, admin, secret: 'cymru' }]);
  const [engine] = thread.engines;
  const destroyed = new Set<string>();
  const app = await connectApp(engine?.adminPort ?? 0, (srf) => answerCalls(srf, destroyed));
  const sipPort = engine?.listenPoints[0]?.port ?? 0;
  const peers = await Promise.all(
    Array.from({ length: peerCount }, () => EnginePeer.open(sipPort)),
  );
  const lost = new Map<EarlyRequest, string[]>(EARLY_REQUESTS.map((kind) => [kind, []]));
  const waiting = EARLY_REQUESTS.flatMap((kind) =>
    Array.from({ length: callsPerKind }, () => kind),
  );
  try {
    await Promise.all(
      peers.map(async (peer) => {
        for (let kind = waiting.pop(); kind !== undefined; kind = waiting.pop()) {
          const problem = await callWith(peer, kind, destroyed);
          if (problem !== undefined) lost.get(kind)?.push(problem);
        }
      }),
    );
  } finally {
    app.disconnect();
    for (const peer of peers) peer.close();
    await thread.close();
  }
  return new Map(
    [...lost].map(([kind, each]) => [kind, { found: callsPerKind - each.length, lost: each }]),
  );
}

function answerCalls(srf: App, destroyed: Set<string>): void {
  const answerCall = async (request: AppRequest, response: AppResponse): Promise<void> => {
    const dialog = await srf.createUAS(request, response, { localSdp: SDP });
    listenTo(dialog, destroyed);
  };
  srf.invite((request, response) => void answerCall(request, response));
}

function listenTo(dialog: AppDialog, destroyed: Set<string>): void {
  dialog.on('subscribe', (_request: AppRequest, answer: AppResponse) => {
    answer.send(200, { headers: { Expires: '60' } });
  });
  dialog.on('modify', (_request: AppRequest, answer: AppResponse) => {
    answer.send(200, { body: MODIFIED_SDP });
  });
  dialog.on('destroy', () => void destroyed.add(dialog.sip.callId));
}

/** One call; says what went wrong with its early request. */
async function callWith(
  peer: EnginePeer,
  kind: EarlyRequest,
  destroyed: Set<string>,
): Promise<string | undefined> {
  peer.heard.splice(0);
  const call = new PeerCall(peer);
  try {
    call.invite();
    call.follow(await finalAnswer(peer, call, 'INVITE'));
    call.ack();
    if (kind === 'INVITE') call.invite();
    else call.request(kind, kind === 'SUBSCRIBE' ? ['Event: kpml', 'Expires: 60'] : []);
    const answer = await finalAnswer(peer, call, kind);
    const problem = judge(kind, answer, destroyed.has(call.callId));
    if (kind === 'INVITE') call.ack();
    if (kind === 'BYE') return problem;
    call.request('BYE');
    await finalAnswer(peer, call, 'BYE');
    return problem;
  } catch (error) {
    return String(error);
  }
}

function judge(kind: EarlyRequest, answer: SipResponse, isDestroyed: boolean): string | undefined {
  if (answer.status !== 200) return `${kind} answered ${answer.status} ${answer.reason}`;
  if (kind === 'INVITE' && answer.body.toString() !== MODIFIED_SDP) {
    return 'INVITE answered by the library';
  }
  return kind === 'BYE' && !isDestroyed ? 'BYE without destroy' : undefined;
}

/** The final response to the latest request of this call and no other. */
async function finalAnswer(peer: EnginePeer, call: PeerCall, method: string): Promise<SipResponse> {
  const cseq = `${call.cseq} ${method}`;
  return await peer.next(
    (each: SipMessage): each is SipResponse =>
      each.type === 'response' &&
      each.status >= 200 &&
      getHeader(each, 'Call-ID') === call.callId &&
      getHeader(each, 'CSeq') === cseq,
  );
}
