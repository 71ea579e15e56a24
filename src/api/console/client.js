/**
 * Requests to the SBC: each gives its status and its JSON, and status 0 where no answer came.
 *
 * When the SBC asks for the token, so does the page, once for all requests that wait for it; then they are sent again.
 * Whoever has none is not asked again for what the page reads by itself.
 */
import { Store } from './store.js';

const BASE = '/api/v1';
const PATIENCE_MS = 15_000;
const TOKEN_KEY = 'tonebridge.token';

/** `{ message, give(token), cancel() }` while the page needs a token, else undefined. */
export const tokenWish = new Store(undefined);

/** How often a token was given. */
export const tokensGiven = new Store(0);

let wishing;
let isDeclined = false;

export function authorization() {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** `path` begins behind `/api/v1`; `body` is sent as JSON. */
export async function request(method, path, body) {
  const sent = authorization().Authorization;
  const answer = await send(method, path, body);
  if (answer.status !== 401) return answer;
  // Another request may have asked for it meanwhile.
  const isNewer = authorization().Authorization !== sent;
  if (method !== 'GET') isDeclined = false;
  const isGiven = isNewer || (await askForToken(answer.data.message));
  // A wrong token is forgotten by now, and reading may need none.
  const isWorthTrying = isGiven || (method === 'GET' && sent !== undefined);
  if (!isWorthTrying) return answer;
  return await request(method, path, body);
}

export function read(path) {
  return request('GET', path);
}

/** Resolves true when somebody gives a token, false when nobody wants to, at once where that was so before. */
export function askForToken(message) {
  if (isDeclined && wishing === undefined) return Promise.resolve(false);
  wishing ??= new Promise((resolve) => {
    const end = (isGiven) => {
      wishing = undefined;
      tokenWish.set(undefined);
      resolve(isGiven);
    };
    tokenWish.set({
      message,
      give: (token) => {
        sessionStorage.setItem(TOKEN_KEY, token);
        isDeclined = false;
        end(true);
        tokensGiven.set(tokensGiven.value + 1);
      },
      cancel: () => {
        // A wrong one would be refused even where none is needed.
        sessionStorage.removeItem(TOKEN_KEY);
        isDeclined = true;
        end(false);
      },
    });
  });
  return wishing;
}

/** Somebody has the token after all. */
export function mayAskForToken() {
  isDeclined = false;
}

/** What a failed answer says, in words. */
export function problemOf({ status, data }) {
  if (status === 0) return 'The SBC does not answer.';
  return data.message ?? data.error?.message ?? `The SBC answered ${status}.`;
}

async function send(method, path, body) {
  try {
    const response = await fetch(`${BASE}${path}`, {
      method,
      headers: {
        Accept: 'application/json',
        ...authorization(),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    return { status: response.status, data: text === '' ? {} : JSON.parse(text) };
  } catch {
    return { status: 0, data: {} };
  }
}
