/** Chooses among the accounts of a user, or any account for an administrator. */
import { element, freshId } from './dom.js';

export function accountPicker({ visitor, account, onPick }) {
  if (visitor.type === 'administrator') return openAny(visitor.accounts, account, onPick);
  if (visitor.accounts.length < 2) return undefined;
  const options = visitor.accounts.map((name) =>
    element('option', { value: name, selected: name === account }, name),
  );
  const onchange = ({ target }) => onPick(target.value);
  return element(
    'label',
    { class: 'picker field' },
    'Account',
    element('select', { 'aria-label': 'Account', onchange }, ...options),
  );
}

function openAny(accounts, account, onPick) {
  const id = freshId('accounts');
  const input = element('input', {
    name: 'account',
    list: id,
    value: account ?? '',
    placeholder: 'user@domain',
    autocapitalize: 'none',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
  });
  const onsubmit = (event) => {
    event.preventDefault();
    onPick(input.value.trim().replace(/^sip:/i, ''));
  };
  return element(
    'form',
    { class: 'picker', onsubmit },
    element('label', { class: 'field' }, 'Account', input),
    element('datalist', { id }, ...accounts.map((value) => element('option', { value }))),
    element('button', { type: 'submit' }, 'Open'),
  );
}
