/**
 * The other pages of this browser. A browser opens six connections to one server, and a stream takes one for as long as
 * it lasts: only the pages opened last have streams, the others hear from those of the same account.
 */

const MOST_STREAMS = 4;

export class Neighbours {
  #url;
  #handlers;
  #channel = new BroadcastChannel('tonebridge-features');
  #post = this.#channel.postMessage.bind(this.#channel);
  #id = Array.from(crypto.getRandomValues(new Uint32Array(4))).join('-');
  #isHolding = false;
  /** Pages that have opened a stream since ours was. */
  #later = new Set();

  /** @param handlers `onCrowded()`: ours has to be given up; `onEvent(name, data)`: what another page has heard */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    this.#channel.addEventListener('message', ({ data }) => this.#hear(data));
    window.addEventListener('pagehide', this.#onLeaving);
  }

  /** Ours is about to open. */
  opening() {
    this.#isHolding = true;
    this.#later.clear();
    this.#say({ type: 'opening' });
  }

  closed() {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#say({ type: 'closed' });
  }

  tell(name, data) {
    this.#say({ type: 'event', url: this.#url, name, data });
  }

  close() {
    window.removeEventListener('pagehide', this.#onLeaving);
    this.closed();
    this.#channel.close();
  }

  #onLeaving = () => this.closed();

  #say(message) {
    this.#post({ ...message, id: this.#id });
  }

  #hear({ type, id, url, name, data }) {
    if (type === 'event') {
      if (!this.#isHolding && url === this.#url) this.#handlers.onEvent(name, data);
    } else if (type === 'closed') {
      this.#later.delete(id);
    } else if (this.#isHolding) {
      this.#later.add(id);
      if (this.#later.size >= MOST_STREAMS) this.#handlers.onCrowded();
    }
  }
}
