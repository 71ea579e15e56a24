/** One feature: its switch, and for forwarding the target and the rings. */
import { announce, element, freshId, icon } from './dom.js';
import { FEATURES, TARGET_LEFT_OUT, changeText, problemOf, ringChoice, timeText } from './words.js';

const RINGS = [0, ...Array.from({ length: 19 }, (_, index) => index + 2)];
const SAVED_MS = 4000;

/** @param page `client`, `isAdministrator`, `onAnswer(answer)` which hears of every answer of the server */
export class FeatureRow {
  #page;
  #view;
  #rules;
  #isPending = false;
  #savedTimer;
  #switch;
  #target;
  #rings;
  #save;
  #undo;
  #message = element('p', { class: 'message', role: 'status' });
  #meta = element('p', { class: 'meta quiet' });
  #flags = new Map();
  #flagBox;

  constructor(view, rules, page) {
    this.#page = page;
    this.#view = view;
    this.#rules = rules;
    this.node = this.#build();
    if (this.#target !== undefined) this.#target.value = view.forwardTo ?? '';
    this.#render();
  }

  /** Shows a newer state; what is being typed stays. `source` is who changed it, where it is known to be somebody else. */
  update(view, rules, source) {
    const old = this.#view;
    if (view.version < old.version && source !== 'reread') return;
    const wasTyping = this.#isTyping();
    this.#view = view;
    this.#rules = rules;
    if (!wasTyping && this.#target !== undefined) this.#target.value = view.forwardTo ?? '';
    if (!this.#isPending) this.#render();
    const isNew = view.version > old.version && !this.#isPending;
    if (!isNew || source === undefined || source === 'reread') return;
    announce(changeText(view.feature, view, source));
    this.node.classList.remove('changed');
    // Starts the animation anew.
    void this.node.offsetWidth;
    this.node.classList.add('changed');
  }

  #build() {
    const { feature } = this.#view;
    const { name, about, icon: drawing } = FEATURES[feature];
    const id = freshId('feature');
    this.#switch = element('input', {
      type: 'checkbox',
      role: 'switch',
      id,
      'aria-labelledby': `${id}-name`,
      'aria-describedby': `${id}-about`,
      onchange: () => void this.#toggle(),
    });
    const head = element(
      'div',
      { class: 'feature-head' },
      element('span', { class: 'badge' }, icon(drawing)),
      element(
        'label',
        { class: 'grow', for: id },
        element('strong', { id: `${id}-name` }, name),
        element('span', { class: 'quiet', id: `${id}-about` }, about),
      ),
      this.#switch,
    );
    const details = feature === 'DoNotDisturb' ? [] : [this.#buildTarget(name)];
    if (this.#page.isAdministrator) this.#flagBox = this.#buildFlags(name);
    const flags = this.#flagBox === undefined ? [] : [this.#flagBox];
    const foot = element('div', { class: 'foot' }, this.#message, this.#meta);
    return element(
      'section',
      { class: 'feature', 'data-feature': feature, 'aria-label': name },
      head,
      ...details,
      foot,
      ...flags,
    );
  }

  #buildTarget(name) {
    this.#target = element('input', {
      name: 'target',
      inputmode: 'tel',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      maxlength: 256,
      placeholder: 'Number or SIP address',
      'aria-label': `${name}: number`,
      oninput: () => this.#render(),
      onkeydown: (event) => {
        if (event.key === 'Escape') this.#forget();
      },
    });
    this.#save = element('button', { type: 'submit', class: 'primary' }, 'Save');
    this.#undo = element('button', { type: 'button', onclick: () => this.#forget() }, 'Undo');
    const onsubmit = (event) => {
      event.preventDefault();
      void this.#submitTarget();
    };
    const target = element(
      'div',
      { class: 'field target' },
      element('span', { 'aria-hidden': 'true' }, 'Goes to'),
      element('div', { class: 'inline' }, this.#target, this.#save, this.#undo),
    );
    if (this.#view.feature !== 'CallForwardingNoAnswer') {
      return element('form', { class: 'details', onsubmit }, target);
    }
    this.#rings = element('select', {
      name: 'rings',
      'aria-label': `${name}: rings`,
      onchange: () => void this.#submitRings(),
    });
    const rings = element(
      'div',
      { class: 'field' },
      element('span', { 'aria-hidden': 'true' }, 'After'),
      this.#rings,
    );
    return element('form', { class: 'details', onsubmit }, target, rings);
  }

  #buildFlags(name) {
    const box = (flag, label) => {
      const input = element('input', {
        type: 'checkbox',
        'aria-label': `${name}: ${label}`,
        onchange: ({ target }) => void this.#configure({ [flag]: target.checked }),
      });
      this.#flags.set(flag, input);
      return element('label', { class: 'flag' }, input, label);
    };
    return element(
      'div',
      { class: 'flags' },
      element('span', { class: 'quiet' }, 'Administrator'),
      box('assigned', 'Assigned'),
      box('locked', 'Locked'),
    );
  }

  #render() {
    const { status, assigned, locked, updatedAt } = this.#view;
    const isClosed = locked || !assigned;
    // While a request is under way the boxes show what was asked for.
    if (!this.#isPending) this.#renderBoxes();
    this.#switch.disabled = isClosed;
    if (this.#flagBox !== undefined) this.#flagBox.hidden = !this.#rules.isConfigurable;
    this.node.classList.toggle('is-on', status);
    this.node.classList.toggle('is-closed', isClosed);
    this.node.setAttribute('aria-busy', String(this.#isPending));
    if (this.#target !== undefined) this.#renderDetails(isClosed);
    const changed = updatedAt === '' ? 'Never changed' : `Changed ${timeText(updatedAt, true)}`;
    const lock = locked ? [icon('lock'), 'Locked by the administrator'] : [];
    const state = assigned ? lock : ['Not assigned: neither phones nor users see it'];
    this.#meta.replaceChildren(...(state.length === 0 ? [changed] : state));
  }

  #renderBoxes() {
    this.#switch.checked = this.#view.status;
    for (const [flag, input] of this.#flags) input.checked = this.#view[flag];
  }

  #renderDetails(isClosed) {
    const isTyping = this.#isTyping();
    this.#target.disabled = isClosed;
    this.#target.readOnly = this.#isPending;
    this.#save.hidden = !isTyping;
    this.#undo.hidden = !isTyping;
    if (this.#rings === undefined) return;
    const { ringSeconds, defaultRings } = this.#rules;
    const chosen = this.#view.ringCount ?? defaultRings;
    const choices = RINGS.includes(chosen) ? RINGS : [...RINGS, chosen];
    this.#rings.replaceChildren(
      ...choices.map((count) =>
        element(
          'option',
          { value: count, selected: count === chosen },
          ringChoice(count, ringSeconds),
        ),
      ),
    );
    this.#rings.disabled = isClosed;
  }

  #isTyping() {
    return this.#target !== undefined && this.#target.value.trim() !== (this.#view.forwardTo ?? '');
  }

  #forget() {
    this.#target.value = this.#view.forwardTo ?? '';
    this.#say('');
    this.#render();
  }

  async #toggle() {
    // Controls stay usable meanwhile, since switching them off would take the focus; the answer looks at the switch.
    if (this.#isPending) return;
    const status = this.#switch.checked;
    if (status && this.#target?.value.trim() === '') {
      this.#switch.checked = false;
      this.#say('Enter the number that calls shall go to first.', 'bad');
      this.#target.focus();
      return;
    }
    await this.#send({ status, ...this.#typed() });
  }

  async #submitTarget() {
    if (this.#isPending || !this.#isTyping()) return;
    const { status } = this.#view;
    if (status && this.#target.value.trim() === '') {
      this.#say('Switch the forwarding off before you remove its number.', 'bad');
      return;
    }
    await this.#send({ status, ...this.#typed() });
  }

  async #submitRings() {
    if (this.#isPending) {
      this.#render();
      return;
    }
    const ringCount = Number(this.#rings.value);
    await this.#send({ status: this.#view.status, ringCount });
  }

  /** The target, where it was typed anew; null removes it. */
  #typed() {
    if (!this.#isTyping()) return {};
    const text = this.#target.value.trim();
    return { forwardTo: text === '' ? null : text };
  }

  async #send(body) {
    const { client, onAnswer } = this.#page;
    const { feature, version } = this.#view;
    const answer = await this.#whilePending(() => client.set(feature, body, version));
    const status = this.#switch.checked;
    const isTaken = isTargetTaken(body, answer.data);
    if (answer.status === 200) this.#take(answer.data);
    if (!isTaken) this.#target.value = body.forwardTo;
    this.#report(answer, body.forwardTo !== undefined, savedText(answer.data));
    if (!isTaken) this.#say(TARGET_LEFT_OUT, 'bad');
    // Switched once more while the answer was under way.
    if (answer.status === 200 && status !== body.status) {
      this.#switch.checked = status;
      await this.#send({ status });
    } else onAnswer(answer);
  }

  /** Shows what the answer says until the account is read anew. */
  #take({ outcome, state, version, new: changed }) {
    // The change of somebody else that came after ours may have been read already.
    if (version < this.#view.version) return;
    const value = outcome === 'applied' ? changed : state;
    const updatedAt = outcome === 'applied' ? new Date().toISOString() : this.#view.updatedAt;
    const { feature, assigned, locked } = this.#view;
    this.#view = { feature, assigned, locked, ...value, version, updatedAt };
    if (this.#target !== undefined) this.#target.value = value.forwardTo ?? '';
  }

  async #configure(flags) {
    if (this.#isPending) {
      this.#renderBoxes();
      return;
    }
    const { client, onAnswer } = this.#page;
    const answer = await this.#whilePending(() => client.configure(this.#view.feature, flags));
    if (answer.status === 200) this.#view = { ...this.#view, ...flags };
    this.#report(answer, false, 'Saved');
    onAnswer(answer);
  }

  async #whilePending(send) {
    this.#isPending = true;
    this.#say('');
    this.#render();
    const answer = await send();
    this.#isPending = false;
    return answer;
  }

  #report(answer, isTargetTyped, text) {
    this.#render();
    const problem = problemOf(answer, isTargetTyped);
    if (problem === undefined) this.#say(text, 'good');
    else this.#say(problem, 'bad');
  }

  #say(text, kind) {
    clearTimeout(this.#savedTimer);
    const parts = text === '' ? [] : [icon(kind === 'good' ? 'check' : 'alert'), text];
    this.#message.replaceChildren(...parts);
    this.#message.className = `message ${kind ?? ''}`;
    if (kind === 'good') this.#savedTimer = setTimeout(() => this.#say(''), SAVED_MS);
  }
}

/** Switching off succeeds also with a number that may not be stored, which is left out. */
function isTargetTaken({ forwardTo }, { outcome, old, new: stored }) {
  if (outcome !== 'applied' || stored.status || typeof forwardTo !== 'string') return true;
  return stored.forwardTo === forwardTo || stored.forwardTo !== old.forwardTo;
}

function savedText({ outcome, notified }) {
  if (outcome !== 'applied' || !notified) return 'Saved';
  return `Saved and sent to ${notified} ${notified === 1 ? 'phone' : 'phones'}`;
}
