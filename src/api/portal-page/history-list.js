/** What was changed, newest first. */
import { element, icon } from './dom.js';
import { FEATURES, refusalText, sourceOf, timeText, valueText } from './words.js';

export class HistoryList {
  #client;
  #list = element('ol', { class: 'history' });
  #more = element('button', { type: 'button', hidden: true, onclick: () => void this.#older() });
  #empty = element('p', { class: 'quiet', hidden: true }, 'Nothing has been changed yet.');
  #oldest;
  #isReading = false;
  #isStale = false;

  constructor(client) {
    this.#client = client;
    this.#more.textContent = 'Show older changes';
    this.node = element('div', {}, this.#empty, this.#list, this.#more);
  }

  /** Reads the newest rows anew. */
  async refresh() {
    if (this.#isReading) {
      this.#isStale = true;
      return;
    }
    this.#isReading = true;
    const { status, data } = await this.#client.history();
    this.#isReading = false;
    if (status === 200) this.#show(data);
    if (!this.#isStale) return;
    this.#isStale = false;
    await this.refresh();
  }

  /** Shows nothing until the next reading. */
  clear() {
    this.#list.replaceChildren();
    this.#empty.hidden = true;
    this.#more.hidden = true;
  }

  #show({ rows, hasMore }) {
    this.#list.replaceChildren(...rows.map((row) => item(row)));
    this.#empty.hidden = rows.length > 0;
    this.#more.hidden = !hasMore;
    this.#oldest = rows.at(-1)?.id;
  }

  async #older() {
    this.#more.disabled = true;
    const { status, data } = await this.#client.history(this.#oldest);
    this.#more.disabled = false;
    if (status !== 200) return;
    this.#list.append(...data.rows.map((row) => item(row)));
    this.#more.hidden = !data.hasMore;
    this.#oldest = data.rows.at(-1)?.id ?? this.#oldest;
  }
}

function item(row) {
  const source = sourceOf(row.source);
  const isDone = row.outcome === 'applied';
  const who = row.device ?? (row.source === 'portal' ? 'Web page' : `By ${source.name}`);
  return element(
    'li',
    { class: isDone ? '' : 'refused' },
    element('span', { class: 'badge' }, icon(isDone ? source.icon : 'alert')),
    element(
      'div',
      { class: 'grow' },
      element(
        'div',
        { class: 'line' },
        element('strong', {}, FEATURES[row.feature].name),
        element('time', { class: 'quiet nowrap', datetime: row.at }, timeText(row.at)),
      ),
      element('div', { class: 'values' }, ...values(row, isDone)),
      element('div', { class: 'quiet' }, `${who} · ${row.actor}`),
    ),
  );
}

function values(row, isDone) {
  if (!isDone) return [refusalText(row)];
  return [
    element('span', { class: 'quiet' }, valueText(row.old)),
    element('span', { class: 'unseen' }, ' became '),
    icon('right'),
    element('span', {}, valueText(row.new)),
  ];
}
