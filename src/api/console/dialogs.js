/** What stands above the page: a question, the token, words that go away by themselves. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { tokenWish } from './client.js';
import { html } from './html.js';
import { Store, useStore } from './store.js';

const TOAST_MS = 6_000;

const question = new Store(undefined);
const toasts = new Store([]);
let lastToast = 0;

/** Asks before something is done; resolves true when it shall be. */
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    question.value?.answer(false);
    const answer = (isWanted) => {
      question.set(undefined);
      resolve(isWanted);
    };
    question.set({ title, text, action, answer });
  });
}

/** Says what became of an action; `tone` is good or bad. Screen readers hear it too. */
export function toast(text, tone = 'good') {
  lastToast += 1;
  const id = lastToast;
  toasts.set([...toasts.value, { id, text, tone }]);
  announce(text);
  setTimeout(() => toasts.set(toasts.value.filter((each) => each.id !== id)), TOAST_MS);
}

/** Lets a screen reader say it when it has time. */
export function announce(text) {
  const announcer = document.getElementById('announcer');
  // The same text twice would not be said again.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}

/** A window above the page; Esc closes it, and the focus goes back to where it was. */
export function Dialog({ label, onClose, children, kind = '' }) {
  const node = useRef();
  // Before anything is painted: keys that come behind it must find the focus where it belongs.
  useLayoutEffect(() => {
    const dialog = node.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  // A click on the backdrop hits the dialog itself.
  const onClick = (event) => event.target === node.current && onClose();
  return html`<dialog
    ref=${node}
    class=${kind}
    aria-label=${label}
    ...${{ onClick }}
    onCancel=${cancel}
  >
    <div class="dialog-box">${children}</div>
  </dialog>`;
}

export function Dialogs() {
  return html`<${Question} /><${TokenForm} /><${Toasts} />`;
}

function Question() {
  const asked = useStore(question);
  if (asked === undefined) return null;
  const { title, text, action, answer } = asked;
  return html`<${Dialog} key=${title} label=${title} onClose=${() => answer(false)}>
    <h2>${title}</h2>
    <p>${text}</p>
    <div class="dialog-foot">
      <button type="button" onClick=${() => answer(false)}>Cancel</button>
      <button type="button" class="danger" onClick=${() => answer(true)}>${action}</button>
    </div>
  <//>`;
}

function TokenForm() {
  const wish = useStore(tokenWish);
  const [token, setToken] = useState('');
  if (wish === undefined) return null;
  const submit = (event) => {
    event.preventDefault();
    setToken('');
    if (token.trim() === '') wish.cancel();
    else wish.give(token.trim());
  };
  return html`<${Dialog} label="Token" onClose=${wish.cancel}>
    <form onSubmit=${submit}>
      <h2>Token</h2>
      <p>The SBC says: ${wish.message}. It stays in this browser tab until that is closed.</p>
      <label class="field">
        Token
        <input
          type="password"
          autocomplete="off"
          spellcheck=${false}
          value=${token}
          onInput=${(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <div class="dialog-foot">
        <button type="button" onClick=${wish.cancel}>Cancel</button>
        <button type="submit" class="primary">Go on</button>
      </div>
    </form>
  <//>`;
}

function Toasts() {
  const shown = useStore(toasts);
  return html`<div class="toasts">
    ${shown.map(({ id, text, tone }) => html`<p key=${id} class="toast ${tone}">${text}</p>`)}
  </div>`;
}
