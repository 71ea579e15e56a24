/**
 * Recordings of a real drachtio-server, as text files:
 *
 *   ----    105ms APP->SRV conn1                frame of the application    (input of a replay)
 *   ----    106ms SRV->APP conn1                frame of the server         (expected)
 *   ----     99ms SIP UA(alice:8208)=>SRV       datagram of a SIP peer      (input)
 *   ----    100ms SIP SRV=>UA(alice:8208)       datagram of the server      (expected)
 *   ----     77ms SIP SRV=>UA(alice:tcp 52742)  the same on a connection    (expected)
 *   ----     74ms SIP UA(alice:tcp)=>SRV        the peer's side of it       (input)
 *   ----   5427ms TCP conn3 / closed by app     end of a connection
 *   ----     14ms APP, HARNESS                  notes of the recording      (left out)
 */
export type RecordedEvent =
  | { readonly type: 'appFrame'; readonly connection: string; readonly payload: string }
  | { readonly type: 'serverFrame'; readonly connection: string; readonly payload: string }
  | { readonly type: 'peerMessage'; readonly peer: string; readonly text: string }
  | ServerMessage
  | { readonly type: 'appClosed'; readonly connection: string };

/** What the server sent to a peer; `port` is the peer's. */
interface ServerMessage {
  readonly type: 'serverMessage';
  readonly peer: string;
  readonly port: number;
  readonly text: string;
}

/** Reads a recording; line ends of SIP messages become CRLF again. */
export function parseRecording(text: string): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const block of text.split(/^---- +\d+ms /m).slice(1)) {
    const lineEnd = block.indexOf('\n');
    const event = readEvent(block.slice(0, lineEnd), block.slice(lineEnd + 1).replace(/\n$/, ''));
    if (event !== undefined) events.push(event);
  }
  return events;
}

function readEvent(title: string, content: string): RecordedEvent | undefined {
  const [kind = '', name = '', ...rest] = title.split(' ');
  if (kind === 'APP->SRV' || kind === 'SRV->APP') {
    const hash = content.indexOf('#');
    const [header = '', ...message] = content.slice(hash + 1).split('\n');
    if (kind === 'APP->SRV') {
      // The library states its frames in bytes, but Content-Length in UTF-16 units.
      const bytes = Buffer.from(`${[header, ...message].join('\r\n')}\r\n`);
      const payload = bytes.toString('utf8', 0, Number(content.slice(0, hash)));
      return { type: 'appFrame', connection: name, payload };
    }
    const sip = message.length === 0 ? '' : `\r\n${withLineEnds(message.join('\n'))}`;
    return { type: 'serverFrame', connection: name, payload: header + sip };
  }
  const fromPeer = /^UA\((\w+:\w+)/.exec(name)?.[1];
  if (fromPeer !== undefined) {
    return { type: 'peerMessage', peer: fromPeer, text: withLineEnds(content) };
  }
  const toPeer = /^SRV=>UA\((\w+:\w+)/.exec(name)?.[1];
  if (toPeer !== undefined) {
    const port = Number.parseInt(rest[0] ?? toPeer.split(':')[1] ?? '', 10);
    return { type: 'serverMessage', peer: toPeer, port, text: withLineEnds(content) };
  }
  if (kind === 'TCP' && content === 'closed by app') return { type: 'appClosed', connection: name };
  return undefined;
}

/** The recorder put a line end behind each message, which is the body's own only if its length says so. */
function withLineEnds(message: string): string {
  const blank = message.indexOf('\n\n');
  const head = (blank < 0 ? message.replace(/\n+$/, '') : message.slice(0, blank)).split('\n');
  const body = blank < 0 ? '' : `${message.slice(blank + 2)}\n`.replaceAll('\n', '\r\n');
  const announced = head.find((line) => /^content-length:/i.test(line))?.split(':')[1];
  const length = announced === undefined ? body.length : Number(announced);
  return `${head.join('\r\n')}\r\n\r\n${Buffer.from(body).toString('utf8', 0, length)}`;
}
