/** The form before everything else. */
import { announce, brand, element } from './dom.js';
import { signIn } from './client.js';

/** Builds the form; `onSignedIn` gets who has signed in. */
export function signInPage({ isOpenHere, notice, onSignedIn }) {
  const message = element('p', { class: 'message', role: 'alert' }, notice ?? '');
  const submit = async (form, credentials) => {
    form.setAttribute('aria-busy', 'true');
    for (const button of form.querySelectorAll('button')) button.disabled = true;
    const answer = await signIn(credentials);
    form.removeAttribute('aria-busy');
    for (const button of form.querySelectorAll('button')) button.disabled = false;
    if (answer.status === 200) {
      announce('Signed in.');
      onSignedIn(answer.data);
      return;
    }
    message.textContent = problemText(answer);
    form.querySelector('input[type="password"]')?.select();
  };
  const forms = [userForm(submit), administratorForm(submit, isOpenHere)];
  const card = element(
    'main',
    { class: 'sign-in card' },
    brand(),
    element('h1', {}, 'Call features'),
    element('p', { class: 'quiet' }, 'Sign in with the name and password of your phone account.'),
    message,
    ...forms,
  );
  return element('div', { class: 'sign-in-page' }, card);
}

function problemText({ status, data }) {
  if (status === 0) return 'The server cannot be reached. Try again.';
  if (status === 403) return 'Name and password do not fit.';
  return `${data.message ?? `The server answered ${status}`}.`.replace(/^./, (first) =>
    first.toUpperCase(),
  );
}

function userForm(submit) {
  const user = field('Account', {
    name: 'user',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    placeholder: '2001 or 2001@example.com',
  });
  const password = field('Password', {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const onsubmit = (event) => {
    event.preventDefault();
    const data = new FormData(form);
    void submit(form, { user: data.get('user'), password: data.get('password') });
  };
  const button = element('button', { class: 'primary', type: 'submit' }, 'Sign in');
  const form = element('form', { onsubmit }, user, password, button);
  return form;
}

/** With the token, or without where this machine is trusted. */
function administratorForm(submit, isOpenHere) {
  const onsubmit = (event) => {
    event.preventDefault();
    void submit(form, { token: new FormData(form).get('token') ?? '' });
  };
  const parts = isOpenHere
    ? [element('p', { class: 'quiet' }, 'No token is configured, so this machine is trusted.')]
    : [
        field('Token', {
          name: 'token',
          type: 'password',
          autocomplete: 'off',
          required: true,
        }),
      ];
  const button = element('button', { type: 'submit' }, 'Continue as administrator');
  const form = element('form', { onsubmit }, ...parts, button);
  return element(
    'details',
    { class: 'administrator' },
    element('summary', {}, 'Administrator'),
    form,
  );
}

function field(label, attributes) {
  return element('label', { class: 'field' }, label, element('input', attributes));
}
