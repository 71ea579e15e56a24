/** Requests to the server: each gives its status and its JSON, and status 0 where no answer came. */

const BASE = '/features/api';
const PATIENCE_MS = 15_000;

export async function request(method, path, { body, headers } = {}) {
  try {
    const response = await fetch(`${BASE}${path}`, {
      method,
      headers: {
        Accept: 'application/json',
        'X-Tonebridge-Portal': '1',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
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

export function readSession() {
  return request('GET', '/session');
}

export function signIn(credentials) {
  return request('POST', '/session', { body: credentials });
}

export function signOut() {
  return request('DELETE', '/session');
}

/** What may be asked about one account. */
export function accountClient(account) {
  const base = `/accounts/${encodeURIComponent(account.replaceAll('%', '%25'))}`;
  return {
    read: () => request('GET', base),
    set: (feature, body, version) =>
      request('PUT', `${base}/features/${feature}`, {
        body,
        headers: { 'If-Match': `"${version}"` },
      }),
    configure: (feature, flags) => request('PATCH', `${base}/features/${feature}`, { body: flags }),
    refresh: () => request('POST', `${base}/refresh`),
    history: (before) =>
      request('GET', `${base}/history${before === undefined ? '' : `?before=${before}`}`),
    eventsUrl: `${BASE}${base}/events`,
  };
}
