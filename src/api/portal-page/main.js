/** Who is here decides what is shown: the form to sign in, or an account. */
import { AccountPage } from './account-page.js';
import { accountPicker } from './account-picker.js';
import { readSession, signOut } from './client.js';
import { brand, element, icon } from './dom.js';
import { signInPage } from './sign-in.js';

const app = document.getElementById('app');
let page;
let visitor;

async function start(notice) {
  leave();
  const { status, data } = await readSession();
  if (status !== 200 || data.type === 'not-served') {
    showProblem(
      status === 200 ? 'Feature keys are not served here.' : 'The server cannot be reached.',
    );
  } else if (data.type === 'nobody') {
    app.replaceChildren(
      signInPage({ isOpenHere: data.isOpenHere, notice, onSignedIn: (who) => welcomeIn(who) }),
    );
    app.querySelector('input')?.focus();
  } else {
    welcome(data);
  }
}

function welcome(who) {
  visitor = who;
  show();
}

/** The form is gone, and the focus with it. */
function welcomeIn(who) {
  welcome(who);
  page?.focus();
}

/** The account stands in the address, so that it can be kept and gone back to. */
function chosenAccount() {
  const named = decodeName(location.hash.slice(1));
  if (visitor.type === 'administrator') return named === '' ? visitor.accounts[0] : named;
  return visitor.accounts.includes(named) ? named : visitor.accounts[0];
}

function decodeName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function onPick(name) {
  location.hash = encodeURIComponent(name);
}

async function leaveForGood() {
  page?.close();
  await signOut();
  await start('You are signed out.');
}

function show() {
  page?.close();
  const account = chosenAccount();
  document.title = account === undefined ? 'Call features' : `${account} – Call features`;
  page =
    account === undefined
      ? undefined
      : new AccountPage(account, visitor, (text) => void start(text));
  const picker = accountPicker({ visitor, account, onPick });
  const empty =
    visitor.type === 'administrator'
      ? 'Enter the account to be shown.'
      : 'This user has no account.';
  app.replaceChildren(
    header(),
    element(
      'main',
      {},
      ...(picker === undefined ? [] : [picker]),
      page?.node ?? element('p', { class: 'card none quiet' }, empty),
    ),
  );
}

function header() {
  return element(
    'header',
    {},
    brand(),
    element('span', { class: 'grow' }),
    element('span', { class: 'login' }, visitor.login),
    element(
      'button',
      { type: 'button', class: 'bare', onclick: () => void leaveForGood() },
      icon('leave'),
      'Sign out',
    ),
  );
}

function showProblem(text) {
  app.replaceChildren(
    element(
      'div',
      { class: 'sign-in-page' },
      element(
        'main',
        { class: 'sign-in card' },
        brand(),
        element('h1', {}, 'Call features'),
        element('p', { role: 'alert' }, text),
        element('button', { type: 'button', onclick: () => void start() }, 'Try again'),
      ),
    ),
  );
}

function leave() {
  page?.close();
  page = undefined;
  visitor = undefined;
}

window.addEventListener('hashchange', () => {
  if (visitor === undefined) return;
  show();
  page?.focus();
});
await start();
