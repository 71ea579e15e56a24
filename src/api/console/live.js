/**
 * What happens in the SBC while the page is open: one stream for all parts of it, with the topics that they want.
 *
 *   connecting ──► live ──cut──► lost ──retry──► live         (each time: everything is read anew)
 *                    └──503: it drains──► asking              (reads anew every few seconds)
 *
 * A browser opens few connections to one host: a page that nobody looks at gives its own back.
 */
import { useEffect, useRef } from 'preact/hooks';
import { askForToken, authorization, tokensGiven } from './client.js';
import { EventReader } from './event-reader.js';
import { Store } from './store.js';

/** Two heartbeats of the SBC may be missed. */
const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 4_000;
const ASK_MS = 3_000;

const TOPICS = ['calls', 'agents', 'digits', 'series', 'features'];

/** `connecting`, `live`, `asking`, `lost` or `refused`. */
export const connection = new Store('connecting');

const listeners = new Set();
let stream;
let retryMs = FIRST_RETRY_MS;
let retryTimer;
let isSettling = false;

/**
 * Hears events while the component is shown.
 *
 * @param onEvent gets `(name, data)`; the name `refresh`: events may have been missed, read the state anew.
 */
export function useLive(topics, onEvent) {
  const handler = useRef(onEvent);
  handler.current = onEvent;
  const key = topics.join();
  useEffect(() => {
    const listener = { topics: key.split(','), hear: (...event) => handler.current(...event) };
    listeners.add(listener);
    settle();
    return () => {
      listeners.delete(listener);
      settle();
    };
  }, [key]);
}

/** Does not wait for the next attempt. */
export function retryNow() {
  retryMs = FIRST_RETRY_MS;
  open();
}

function wantedTopics() {
  const wanted = new Set([...listeners].flatMap(({ topics }) => topics));
  return TOPICS.filter((topic) => wanted.has(topic)).join();
}

/** Pages come and go in one step: the stream changes once, when all of them have said what they want. */
function settle() {
  if (isSettling) return;
  isSettling = true;
  setTimeout(() => {
    isSettling = false;
    if (document.hidden || wantedTopics() === stream?.topics) return;
    open();
  });
}

function tell(name, data) {
  for (const listener of listeners) listener.hear(name, data);
}

function close() {
  clearTimeout(retryTimer);
  stream?.abort.abort();
  clearTimeout(stream?.silence);
  stream = undefined;
}

function open() {
  close();
  const topics = wantedTopics();
  if (document.hidden || topics === '') return;
  stream = { topics, abort: new AbortController(), silence: undefined };
  void follow(stream);
}

async function follow(own) {
  try {
    const response = await fetch(`/api/v1/events?topics=${own.topics}`, {
      headers: { Accept: 'text/event-stream', ...authorization() },
      signal: own.abort.signal,
    });
    if (response.status === 200) await readAll(response, own);
    else if (own === stream) return await refused(response.status);
  } catch {
    // Whatever broke it: it is tried again.
  }
  if (own === stream) lost();
}

async function readAll(response, own) {
  const reader = new EventReader();
  const listenForSilence = () => {
    clearTimeout(own.silence);
    own.silence = setTimeout(() => own.abort.abort(), SILENCE_MS);
  };
  listenForSilence();
  retryMs = FIRST_RETRY_MS;
  connection.set('live');
  tell('refresh');
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    if (own !== stream) return;
    listenForSilence();
    for (const { name, data } of reader.feed(chunk)) tell(name, data);
  }
}

async function refused(status) {
  if (status === 401) {
    connection.set('refused');
    const hadToken = authorization().Authorization !== undefined;
    const isGiven = await askForToken('a token is required');
    // A wrong token is forgotten by now, and reading may need none.
    if (!isGiven && hadToken) open();
  } else if (status === 503) {
    connection.set('asking');
    tell('refresh');
    retryTimer = setTimeout(open, ASK_MS);
  } else {
    lost();
  }
}

function lost() {
  close();
  connection.set('lost');
  retryTimer = setTimeout(open, retryMs * (0.75 + Math.random() / 2));
  retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) close();
  else retryNow();
});
window.addEventListener('online', retryNow);
tokensGiven.listen(() => {
  if (connection.value === 'refused') retryNow();
});
