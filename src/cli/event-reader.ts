/** Server-sent events (HTML Living Standard §9.2.6) out of the body of an answer. */

export interface ReceivedEvent {
  readonly name: string;
  /** The text of its data lines. */
  readonly data: string;
}

/** More than this without the end of an event is no stream of ours. Characters. */
const MAX_BLOCK_LENGTH = 16 * 1024 * 1024;

/** Ends when `body` does; comments and fields without meaning here are left out. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ReceivedEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const blocks = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MAX_BLOCK_LENGTH) return;
    for (const block of blocks) {
      const event = readBlock(block);
      if (event !== undefined) yield event;
    }
  }
}

function readBlock(block: string): ReceivedEvent | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [field, value = ''] = line.split(/: ?(.*)/s);
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { name, data: data.join('\n') };
}
