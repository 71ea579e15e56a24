/**
 * Hears what happens to the account. A lost connection is reported and tried again, at first soon, then less often. A
 * page that nobody looks at gives its connection back at once, and one that too many newer ones have joined asks now
 * and then instead.
 */
import { Neighbours } from './neighbours.js';

const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;
const ASK_MS = 5000;

const EVENTS = [
  'feature-changed',
  'feature-refused',
  'feature-configured',
  'feature-subscribed',
  'feature-unsubscribed',
];

export class Live {
  #url;
  #handlers;
  #neighbours;
  #source;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer;
  #silenceTimer;
  /** Runs while there is no stream, since others have it. */
  #askTimer;
  #isClosed = false;

  /** @param handlers `onOpen()`, `onLost()`, `onEvent(name, data)`, `onAsk()` which reads and says whether that went well */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    this.#neighbours = new Neighbours(url, {
      onCrowded: () => this.#yield(),
      onEvent: (name, data) => {
        if (this.#askTimer !== undefined) handlers.onEvent(name, data);
      },
    });
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('focus', this.#onFocus);
    window.addEventListener('online', this.#onOnline);
    window.addEventListener('offline', this.#onOffline);
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('focus', this.#onFocus);
    window.removeEventListener('online', this.#onOnline);
    window.removeEventListener('offline', this.#onOffline);
    this.#disconnect();
    this.#neighbours.close();
  }

  /** Does not wait for the next attempt. */
  retryNow() {
    this.#retryMs = FIRST_RETRY_MS;
    this.#connect();
  }

  #onVisibility = () => {
    if (document.hidden) this.#disconnect();
    else if (this.#source === undefined) this.retryNow();
  };

  #onFocus = () => {
    if (this.#askTimer !== undefined) this.retryNow();
  };

  #onOnline = () => this.retryNow();

  #onOffline = () => this.#lost();

  #connect() {
    this.#disconnect();
    if (this.#isClosed || document.hidden) return;
    this.#neighbours.opening();
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#listenForSilence();
    source.addEventListener('ready', () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#handlers.onOpen();
    });
    source.addEventListener('beat', () => this.#listenForSilence());
    for (const name of EVENTS) {
      source.addEventListener(name, ({ data: text }) => {
        this.#listenForSilence();
        const data = JSON.parse(text);
        this.#neighbours.tell(name, data);
        this.#handlers.onEvent(name, data);
      });
    }
    source.addEventListener('error', () => this.#lost());
  }

  #lost() {
    this.#disconnect();
    if (this.#isClosed) return;
    this.#handlers.onLost();
    this.#retryTimer = setTimeout(
      () => this.#connect(),
      this.#retryMs * (0.75 + Math.random() / 2),
    );
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #yield() {
    this.#disconnect();
    this.#askTimer = setInterval(() => void this.#ask(), ASK_MS);
    void this.#ask();
  }

  async #ask() {
    const timer = this.#askTimer;
    const isWell = await this.#handlers.onAsk();
    if (this.#askTimer !== timer) return;
    if (!isWell) this.#lost();
  }

  #listenForSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #disconnect() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    clearInterval(this.#askTimer);
    this.#askTimer = undefined;
    this.#source?.close();
    this.#source = undefined;
    this.#neighbours.closed();
  }
}
