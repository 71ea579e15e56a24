/**
 * One rtpengine as the rest of the media room sees it: eight commands of its ng protocol, every failure an ordinary
 * value with one of six reasons, and whether the node is worth asking at all.
 *
 * Requests are dictionaries with the keys of the ng protocol (`call-id`, `from-tag`, `sdp`, `flags`, `replace` ...),
 * without `command`. An absent value and `undefined` are the same.
 */

/** What the ng protocol can carry; there are no booleans and no fractions in it. */
export type NgValue = string | number | readonly NgValue[] | NgDictionary;

export interface NgDictionary {
  readonly [key: string]: NgValue | undefined;
}

/** Which call, and seen from which side. */
export interface EngineCallRequest extends NgDictionary {
  readonly 'call-id': string;
}

/** One side of a call. */
export interface EngineTagRequest extends EngineCallRequest {
  readonly 'from-tag': string;
}

/** `offer`: from-tag is the offerer. `answer`: from-tag is still the offerer, to-tag the answerer. */
export interface EngineSdpRequest extends EngineCallRequest {
  readonly 'from-tag': string;
  /** UTF-8; see `utf8Sdp`. Handed to the engine as it is. */
  readonly sdp: string;
}

/** Plays towards the peer of the side that `from-tag` names: the engine speaks in that side's place. */
export interface EngineDtmfRequest extends EngineCallRequest {
  readonly 'from-tag': string;
  /** One key, or its number as text. */
  readonly code: string;
  readonly duration?: number;
}

export const ENGINE_FAILURES = [
  /** No answer in time; what was asked may have been done all the same. */
  'timeout',
  /** Known to be down before anything was sent: no answers of late, no address for its name, or closed. */
  'node-down',
  /** The engine has no media ports left. */
  'no-ports',
  /** The engine takes no new calls: a limit of sessions, load or bandwidth. */
  'overload',
  /** An answer that does not say what it should. */
  'bad-answer',
  /** The engine refused for another reason, in its own words in `detail`. */
  'engine-error',
] as const;

export type EngineFailureReason = (typeof ENGINE_FAILURES)[number];

export interface EngineFailure {
  readonly type: 'failed';
  readonly reason: EngineFailureReason;
  /** For logs; neither digits nor SDP in it. At most 200 characters. */
  readonly detail: string;
}

export interface EngineOk {
  readonly type: 'ok';
  /** Everything the engine answered, as it was decoded; fields are to be checked by whoever reads them. */
  readonly answer: NgDictionary;
  /** What the engine did not like but did not refuse for: a `delete` of a call it does not know. */
  readonly warning?: string;
}

export interface EngineSdpOk extends EngineOk {
  readonly sdp: string;
}

export type EngineResult = EngineOk | EngineFailure;
export type EngineSdpResult = EngineSdpOk | EngineFailure;

/** Promises never reject, and settle at most 1.5 s after the call. */
export interface EngineNode {
  /** From the configuration; label of the metrics. */
  readonly name: string;
  /** From the configuration: IPv4 address or name. */
  readonly host: string;
  /** Where it is asked; `undefined` as long as its name has no address. */
  readonly address: string | undefined;
  /** False from five deadlines one behind the other until a ping is answered; every command is refused meanwhile. */
  readonly isUp: boolean;
  ping(): Promise<EngineResult>;
  offer(request: EngineSdpRequest): Promise<EngineSdpResult>;
  answer(request: EngineSdpRequest): Promise<EngineSdpResult>;
  delete(request: EngineCallRequest): Promise<EngineResult>;
  query(request: EngineCallRequest): Promise<EngineResult>;
  playDtmf(request: EngineDtmfRequest): Promise<EngineResult>;
  /** Telephone-events of the side that `from-tag` names go no further, until `unblockDtmf`; they are still reported. */
  blockDtmf(request: EngineTagRequest): Promise<EngineResult>;
  unblockDtmf(request: EngineTagRequest): Promise<EngineResult>;
  /** Called at each change of `isUp`, until the returned function is called. */
  onChange(listener: (isUp: boolean) => void): () => void;
  /** What is under way fails as `node-down`. Idempotent. */
  close(): Promise<void>;
}
