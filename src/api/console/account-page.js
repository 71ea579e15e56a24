/** The page of one account: features, phones, history, all kept true while it is open. */
import { accountClient } from './client.js';
import { announce, element, icon } from './dom.js';
import { FeatureRow } from './feature-row.js';
import { HistoryList } from './history-list.js';
import { Live } from './live.js';
import { phoneList } from './phone-list.js';
import { summary } from './words.js';

const LATER_MS = 60_000;
/** A connection that is back sooner is not worth a word. */
const BANNER_MS = 1500;

export class AccountPage {
  #client;
  #account;
  #visitor;
  #onSignedOut;
  #live;
  #history;
  #rows = new Map();
  #isReading = false;
  /** What has to be read again after the reading that is under way. */
  #stale;
  #timer;
  #isClosed = false;
  #lostTimer;
  #banner = element('div', { class: 'banner', role: 'alert', hidden: true });
  #status = element('span', { class: 'live' });
  #summary = element('p', { class: 'summary' });
  #features = element('div', { class: 'features card' });
  #phones = element('div');
  #count = element('span', { class: 'count' });
  #refresh = element('button', { type: 'button' }, icon('refresh'), 'Update phones');
  #refreshed = element('p', { class: 'message', role: 'status' });

  constructor(account, visitor, onSignedOut) {
    this.#account = account;
    this.#visitor = visitor;
    this.#onSignedOut = onSignedOut;
    this.#client = accountClient(account);
    this.#history = new HistoryList(this.#client);
    this.#refresh.addEventListener('click', () => void this.#refreshPhones());
    this.node = this.#build();
    this.#showLive('connecting');
    void this.#start();
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#lostTimer);
    this.#live?.close();
  }

  #build() {
    return element(
      'div',
      { class: 'account' },
      this.#banner,
      element(
        'div',
        { class: 'title' },
        element('div', { class: 'grow' }, element('h1', {}, this.#account), this.#summary),
        this.#status,
      ),
      element(
        'div',
        { class: 'columns' },
        element('div', {}, element('h2', { class: 'unseen' }, 'Features'), this.#features),
        element(
          'aside',
          {},
          element(
            'section',
            { class: 'card', 'aria-label': 'Phones' },
            element(
              'div',
              { class: 'card-head' },
              element('h2', {}, 'Phones'),
              this.#count,
              this.#refresh,
            ),
            this.#phones,
            this.#refreshed,
          ),
          element(
            'section',
            { class: 'card', 'aria-label': 'Changes' },
            element('div', { class: 'card-head' }, element('h2', {}, 'Changes')),
            this.#history.node,
          ),
        ),
      ),
    );
  }

  async #start() {
    const isThere = await this.#read('reread');
    if (this.#isClosed || !isThere) return;
    void this.#history.refresh();
    this.#live = new Live(this.#client.eventsUrl, {
      onOpen: () => this.#onOpen(),
      onLost: () => this.#onLost(),
      onEvent: (name, data) => this.#onEvent(name, data),
    });
    this.#timer = setInterval(() => {
      if (!document.hidden) void this.#read();
    }, LATER_MS);
  }

  #onOpen() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    if (!this.#banner.hidden) announce('The connection is back.');
    this.#banner.hidden = true;
    this.#showLive('up');
    void this.#read('reread');
    void this.#history.refresh();
  }

  #onLost() {
    this.#showLive('lost');
    // The reason may be that the session is over, which only a request tells.
    void this.#read();
    if (this.#lostTimer !== undefined) return;
    this.#lostTimer = setTimeout(() => {
      const onclick = () => this.#live.retryNow();
      this.#warn(
        'Connection lost. What you see may be old; trying again.',
        element('button', { type: 'button', onclick }, 'Try now'),
      );
    }, BANNER_MS);
  }

  #warn(text, ...more) {
    this.#banner.replaceChildren(icon('alert'), element('span', { class: 'grow' }, text), ...more);
    this.#banner.hidden = false;
  }

  #onEvent(name, data) {
    const isOther = name === 'feature-changed' && data.source !== 'portal';
    void this.#read(isOther ? { feature: data.feature, source: data.source } : undefined);
    if (name === 'feature-changed' || name === 'feature-refused') void this.#history.refresh();
  }

  /** @returns whether the account is there */
  async #read(reason) {
    if (this.#isReading) {
      this.#stale = { reason: reason ?? this.#stale?.reason };
      return true;
    }
    this.#isReading = true;
    const answer = await this.#client.read();
    this.#isReading = false;
    if (this.#isClosed) return false;
    if (answer.status === 200) this.#show(answer.data, reason);
    else this.#failed(answer);
    const { reason: again } = this.#stale ?? {};
    const isStale = this.#stale !== undefined;
    this.#stale = undefined;
    if (isStale) return await this.#read(again);
    return answer.status === 200 || this.#rows.size > 0;
  }

  #show(view, reason) {
    if (this.#lostTimer === undefined) this.#banner.hidden = true;
    const rules = { ringSeconds: view.ringSeconds, defaultRings: view.defaultRings };
    const names = view.features.map(({ feature }) => feature);
    const isSame = names.join() === [...this.#rows.keys()].join();
    if (isSame) {
      for (const feature of view.features) {
        const source = reason?.feature === feature.feature ? reason.source : undefined;
        this.#rows
          .get(feature.feature)
          .update(feature, rules, reason === 'reread' ? reason : source);
      }
    } else this.#rebuild(view.features, rules);
    this.#summary.textContent = summary(view.features.filter(({ assigned }) => assigned));
    this.#phones.replaceChildren(phoneList(view.phones));
    this.#count.textContent = String(view.phones.length);
    this.#refresh.hidden = view.phones.length === 0;
  }

  #rebuild(features, rules) {
    const page = {
      client: this.#client,
      isAdministrator: this.#visitor.type === 'administrator',
      onAnswer: ({ status }) => {
        if (status === 401) this.#onSignedOut('Your session has ended. Sign in again.');
        else void this.#read();
      },
    };
    this.#rows = new Map(features.map((view) => [view.feature, new FeatureRow(view, rules, page)]));
    const none = element('p', { class: 'quiet none' }, 'This account has no features.');
    const nodes = [...this.#rows.values()].map(({ node }) => node);
    this.#features.replaceChildren(...(nodes.length === 0 ? [none] : nodes));
  }

  #failed({ status, data }) {
    if (status === 401) {
      this.#onSignedOut('Your session has ended. Sign in again.');
    } else if (this.#rows.size === 0) {
      const text = status === 0 ? 'the server cannot be reached' : (data.message ?? status);
      this.#features.replaceChildren(
        element('p', { class: 'none', role: 'alert' }, `This account cannot be shown: ${text}.`),
      );
      this.#showLive('none');
    } else if (status !== 0) {
      this.#warn(`This account cannot be read at the moment: ${data.message ?? status}.`);
    }
  }

  async #refreshPhones() {
    this.#refresh.disabled = true;
    const { status, data } = await this.#client.refresh();
    this.#refresh.disabled = false;
    const isDone = status === 200;
    this.#refreshed.className = `message ${isDone ? 'good' : 'bad'}`;
    this.#refreshed.textContent = isDone
      ? `Sent to ${data.notified} ${data.notified === 1 ? 'phone' : 'phones'}.`
      : 'The phones could not be updated.';
  }

  #showLive(state) {
    const texts = { connecting: 'Connecting', up: 'Live', lost: 'Reconnecting', none: '' };
    this.#status.className = `live ${state}`;
    this.#status.textContent = texts[state];
  }
}
