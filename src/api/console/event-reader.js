/** Reads server-sent events from chunks of text that break anywhere (HTML Living Standard §9.2.6). */
export class EventReader {
  #rest = '';
  #name = '';
  #data = [];

  /** The events that are complete with this chunk, each `{ name, data }`; data is parsed JSON. */
  feed(chunk) {
    const lines = `${this.#rest}${chunk}`.split('\n');
    this.#rest = lines.pop();
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line) {
    if (line === '') return this.#complete();
    if (line.startsWith('event: ')) this.#name = line.slice(7);
    else if (line.startsWith('data: ')) this.#data.push(line.slice(6));
    return [];
  }

  #complete() {
    const event = { name: this.#name, text: this.#data.join('\n') };
    this.#name = '';
    this.#data = [];
    return event.text === '' ? [] : [{ name: event.name, data: JSON.parse(event.text) }];
  }
}
