/** SDP as the test peers write and read it: one audio stream, G.711, telephone-event or none. */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface AudioOffer {
  readonly address: string;
  readonly rtpPort: number;
  /** Static audio formats, default PCMU and PCMA. */
  readonly payloadTypes?: readonly number[];
  /** Payload type of telephone-event; absent: not offered. */
  readonly eventPayloadType?: number | undefined;
  readonly direction?: Direction;
  readonly sessionId?: number;
  readonly version?: number;
}

export interface AudioDescription {
  readonly address: string;
  readonly rtpPort: number;
  /** Every format of the m-line, telephone-event included. */
  readonly payloadTypes: readonly number[];
  /** Payload type of telephone-event at 8000 Hz, when it stands on the m-line and has its rtpmap. */
  readonly eventPayloadType: number | undefined;
  /** The fmtp value of telephone-event. */
  readonly events: string | undefined;
  readonly direction: Direction;
  readonly originVersion: number;
}

const STATIC_CODECS: Readonly<Record<number, string>> = { 0: 'PCMU/8000', 8: 'PCMA/8000' };

export function buildSdp(offer: AudioOffer): string {
  const { address, rtpPort, payloadTypes = [0, 8], eventPayloadType } = offer;
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const formats =
    eventPayloadType === undefined ? payloadTypes : [...payloadTypes, eventPayloadType];
  const lines = [
    'v=0',
    `o=peer ${offer.sessionId ?? 4711} ${offer.version ?? 1} IN ${family} ${address}`,
    's=call',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP ${formats.join(' ')}`,
    ...payloadTypes.map((type) => `a=rtpmap:${type} ${STATIC_CODECS[type] ?? 'X-UNKNOWN/8000'}`),
  ];
  if (eventPayloadType !== undefined) {
    lines.push(
      `a=rtpmap:${eventPayloadType} telephone-event/8000`,
      `a=fmtp:${eventPayloadType} 0-15`,
    );
  }
  lines.push('a=ptime:20', `a=${offer.direction ?? 'sendrecv'}`);
  return `${lines.join('\r\n')}\r\n`;
}

/** @throws Error when there is no audio stream. */
export function readSdp(body: string): AudioDescription {
  const media = /^m=audio (\d+) \S+ ([\d ]+)\r?$/m.exec(body);
  const connection = connectionAddress(body);
  if (media === null || connection === undefined) throw new Error(`no audio stream in:\n${body}`);
  const payloadTypes = (media[2] ?? '').trim().split(/ +/).map(Number);
  const eventPayloadType = payloadTypes.find((type) =>
    new RegExp(`^a=rtpmap:${type} telephone-event/8000\\b`, 'im').test(body),
  );
  const events = new RegExp(`^a=fmtp:${eventPayloadType} (\\S+)\\r?$`, 'm').exec(body)?.[1];
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(body)?.[1] ?? 'sendrecv';
  return {
    address: connection,
    rtpPort: Number(media[1]),
    payloadTypes,
    eventPayloadType,
    events,
    direction: isDirection(direction) ? direction : 'sendrecv',
    originVersion: Number(/^o=\S+ \d+ (\d+) /m.exec(body)?.[1] ?? 0),
  };
}

/** The c= line of the audio stream, or else that of the session. */
function connectionAddress(body: string): string | undefined {
  const [session = '', ...streams] = body.split(/^(?=m=)/m);
  const audio = streams.find((stream) => stream.startsWith('m=audio')) ?? '';
  const line = /^c=IN IP[46] (\S+)\r?$/m;
  return (line.exec(audio) ?? line.exec(session))?.[1];
}

function isDirection(text: string): text is Direction {
  return ['sendrecv', 'sendonly', 'recvonly', 'inactive'].includes(text);
}
