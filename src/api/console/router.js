/** The pages of the console and the address of each: `#/calls`, `#/calls/ID`, `#/digits?call=ID`. */
import { useEffect, useState } from 'preact/hooks';
import { AgentPage } from './agent-page.js';
import { AgentsPage } from './agents.js';
import { CallPage } from './call-page.js';
import { CallsPage } from './calls.js';
import { ChartsPage } from './charts.js';
import { DigitsPage } from './digits.js';
import { FeaturePage } from './feature-page.js';
import { FeaturesPage } from './features.js';
import { StatusPage } from './status.js';
import { SubscriptionsPage } from './subscriptions.js';

/** In the order of the navigation. A page gets `{ id, params }`; with `Detail` it shows the list only without id. */
export const pages = [
  { name: 'calls', title: 'Calls', Page: CallsPage, Detail: CallPage },
  { name: 'digits', title: 'Digits', Page: DigitsPage },
  { name: 'agents', title: 'Agents', Page: AgentsPage, Detail: AgentPage },
  { name: 'subscriptions', title: 'Subscriptions', Page: SubscriptionsPage },
  { name: 'features', title: 'Features', Page: FeaturesPage, Detail: FeaturePage },
  { name: 'charts', title: 'Charts', Page: ChartsPage },
  { name: 'status', title: 'Status', Page: StatusPage },
];

/** `{ page, id, params }`; an unknown address is the first page. */
export function parseHash(hash) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name, ...rest] = path.split('/');
  const page = pages.find((each) => each.name === name) ?? pages[0];
  const id = page.name === name ? decode(rest.join('/')) : '';
  return { page, id: id === '' ? undefined : id, params: new URLSearchParams(query) };
}

export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    window.addEventListener('hashchange', listen);
    return () => window.removeEventListener('hashchange', listen);
  }, []);
  return parseHash(hash);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
