/**
 * Hears what happens to the account. A lost connection is reported and tried again, at first soon, then less often; a
 * page that nobody looks at gives its connection back, since a browser has only a few for all its pages.
 */

const SILENCE_MS = 40_000;
const HIDDEN_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

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
  #source;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer;
  #silenceTimer;
  #hiddenTimer;
  #isClosed = false;

  /** @param handlers `onOpen()`, `onLost()`, `onEvent(name, data)` */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('online', this.#onOnline);
    window.addEventListener('offline', this.#onOffline);
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('online', this.#onOnline);
    window.removeEventListener('offline', this.#onOffline);
    clearTimeout(this.#hiddenTimer);
    this.#disconnect();
  }

  /** Does not wait for the next attempt. */
  retryNow() {
    this.#retryMs = FIRST_RETRY_MS;
    this.#connect();
  }

  #onVisibility = () => {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#disconnect(), HIDDEN_MS);
    else if (this.#source === undefined) this.retryNow();
  };

  #onOnline = () => this.retryNow();

  #onOffline = () => this.#lost();

  #connect() {
    this.#disconnect();
    if (this.#isClosed) return;
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#listenForSilence();
    source.addEventListener('ready', () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#handlers.onOpen();
    });
    source.addEventListener('beat', () => this.#listenForSilence());
    for (const name of EVENTS) {
      source.addEventListener(name, ({ data }) => {
        this.#listenForSilence();
        this.#handlers.onEvent(name, JSON.parse(data));
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

  #listenForSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #disconnect() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    this.#source?.close();
    this.#source = undefined;
  }
}
