/** The page of one account: features, phones, history, all kept true while it is open. */
import { accountClient } from './client.js';
import { announce, element, icon } from './dom.js';
import { FeatureRow } from './feature-row.js';
import { HistoryList } from './history-list.js';
import { Live } from './live.js';
import { phoneList } from './phone-list.js';
import { absenceText, summary } from './words.js';

const LATER_MS = 60_000;
/** A connection that is back sooner is not worth a word. */
const BANNER_MS = 1500;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 8000;
const LOST = 'Connection lost. What you see may be old; trying again.';

export class AccountPage {
  #client;
  #account;
  #visitor;
  #onSignedOut;
  #live;
  #history;
  #rows = new Map();
  #isReading = false;
  #isShown = false;
  /** What has to be read again after the reading that is under way. */
  #stale;
  #timer;
  #isClosed = false;
  #lostTimer;
  #retryTimer;
  #retryMs = FIRST_RETRY_MS;
  #liveState = 'connecting';
  #isLost = false;
  /** What is wrong although the account is shown. */
  #problem;
  /** Why nothing of the account is shown. */
  #absence;
  /** What the banner says. */
  #warned;
  #heading = element('h1', { tabindex: -1 });
  #columns = element('div', { class: 'columns' });
  #aside = element('aside');
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
    this.#showTroubles();
    void this.#start();
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#lostTimer);
    clearTimeout(this.#retryTimer);
    this.#live?.close();
  }

  /** Begins at the heading, for keyboard and screen reader. */
  focus() {
    this.#heading.focus();
  }

  #build() {
    this.#heading.textContent = this.#account;
    this.#refresh.hidden = true;
    this.#aside.append(
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
    );
    this.#columns.append(
      element('div', {}, element('h2', { class: 'unseen' }, 'Features'), this.#features),
      this.#aside,
    );
    const title = element('div', { class: 'grow' }, this.#heading, this.#summary);
    return element(
      'div',
      { class: 'account' },
      this.#banner,
      element('div', { class: 'title' }, title, this.#status),
      this.#columns,
    );
  }

  async #start() {
    await this.#read('reread');
    if (this.#isClosed) return;
    this.#live = new Live(this.#client.eventsUrl, {
      onOpen: () => {
        this.#isUp();
        void this.#read('reread');
        void this.#history.refresh();
      },
      onLost: () => this.#onLost(),
      onEvent: (name, data) => this.#onEvent(name, data),
      onAsk: () => this.#ask(),
    });
    this.#timer = setInterval(() => {
      if (!document.hidden) void this.#read();
    }, LATER_MS);
  }

  #isUp() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    if (this.#isLost) announce('The connection is back.');
    this.#isLost = false;
    this.#liveState = 'up';
    this.#showTroubles();
  }

  #onLost() {
    this.#liveState = 'lost';
    this.#showTroubles();
    // The reason may be that the session is over, which only a request tells.
    void this.#read();
    this.#lostTimer ??= setTimeout(() => {
      this.#isLost = true;
      this.#showTroubles();
    }, BANNER_MS);
  }

  async #ask() {
    const isWell = await this.#read('reread');
    if (isWell && !this.#isClosed) this.#isUp();
    void this.#history.refresh();
    return isWell;
  }

  #onEvent(name, data) {
    const isOther = name === 'feature-changed' && data.source !== 'portal';
    void this.#read(isOther ? { feature: data.feature, source: data.source } : undefined);
    if (name === 'feature-changed' || name === 'feature-refused') void this.#history.refresh();
  }

  /** @returns whether it went well, as far as that is known yet */
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
    if (isStale && !this.#isClosed) return await this.#read(again);
    return answer.status === 200;
  }

  #show(view, reason) {
    const isBack = !this.#isShown;
    this.#isShown = true;
    clearTimeout(this.#retryTimer);
    this.#retryMs = FIRST_RETRY_MS;
    this.#absence = undefined;
    this.#problem = undefined;
    this.#showTroubles();
    const { ringSeconds, defaultRings, isConfigurable } = view;
    const rules = { ringSeconds, defaultRings, isConfigurable };
    const names = view.features.map(({ feature }) => feature);
    const isSame = !isBack && names.join() === [...this.#rows.keys()].join();
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
    if (isBack) void this.#history.refresh();
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
      return;
    }
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#read('reread'), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    const isGone = status === 404 || data.error === 'not-served';
    if (isGone || !this.#isShown) {
      this.#hide(absenceText({ status, data }, this.#visitor.type === 'administrator'));
    } else if (status !== 0) {
      this.#problem = `This account cannot be read at the moment: ${data.message ?? status}.`;
    }
    this.#showTroubles();
  }

  /** Leaves nothing of the account on the screen. */
  #hide(text) {
    if (this.#absence === text) return;
    this.#absence = text;
    this.#isShown = false;
    if (this.#columns.contains(document.activeElement)) this.focus();
    this.#rows.clear();
    this.#summary.textContent = '';
    this.#phones.replaceChildren();
    this.#history.clear();
    this.#features.replaceChildren(
      element(
        'div',
        { class: 'absence' },
        element('p', { role: 'alert' }, text),
        element('button', { type: 'button', onclick: () => this.#tryNow() }, 'Try again'),
      ),
    );
  }

  #tryNow() {
    this.#retryMs = FIRST_RETRY_MS;
    this.#live?.retryNow();
    void this.#read('reread');
  }

  #showTroubles() {
    const isHere = this.#absence === undefined;
    this.#aside.hidden = !isHere;
    this.#showLive(isHere ? this.#liveState : 'none');
    const lost = this.#isLost ? LOST : undefined;
    const text = isHere ? (this.#problem ?? lost) : undefined;
    if (text === this.#warned) return;
    this.#warned = text;
    this.#banner.hidden = text === undefined;
    if (text === undefined) return;
    const onclick = () => this.#tryNow();
    this.#banner.replaceChildren(
      icon('alert'),
      element('span', { class: 'grow' }, text),
      element('button', { type: 'button', onclick }, 'Try now'),
    );
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
