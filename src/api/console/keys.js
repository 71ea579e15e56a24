/** The keyboard: what each key does where no text is being typed. */

/** For the help, in the order shown there. */
export const KEYS = [
  ['j', 'next row'],
  ['k', 'row before'],
  ['Enter', 'open the row'],
  ['/', 'filter the list'],
  ['1 … 7', 'go to a page'],
  ['Esc', 'close, or leave the field'],
  ['?', 'show the keys'],
];

/** @param actions `onPage(index)`, `onHelp()`. Gives what takes the listener back. */
export function listenForKeys(actions) {
  const listen = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    // A window above the page has keys of its own.
    if (document.querySelector('dialog[open]') !== null) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (act(event.key, actions)) event.preventDefault();
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}

function act(key, { onPage, onHelp }) {
  if (key === 'j') return move(1);
  if (key === 'k') return move(-1);
  if (key === '?') onHelp();
  else if (key === '/') document.querySelector('[data-filter]')?.focus();
  else if (/^[1-9]$/.test(key)) onPage(Number(key) - 1);
  else if (key === 'Escape') document.activeElement?.blur();
  else return false;
  return true;
}

/** Goes through everything that is marked as a row, from the one with the focus on. */
function move(step) {
  const rows = [...document.querySelectorAll('main [data-row]')];
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[current === -1 ? (step > 0 ? 0 : rows.length - 1) : current + step];
  if (next === undefined) return rows.length > 0;
  const target = next.matches('[tabindex], button, a') ? next : next.querySelector('a, button');
  target?.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

function isTyping(target) {
  return target instanceof Element && target.matches('input, textarea, select');
}
