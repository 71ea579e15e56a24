/** Gives people a file that the SBC makes: with the token, hence no plain link. */
import { authorization, problemOf } from './client.js';
import { toast } from './dialogs.js';

const PATIENCE_MS = 30_000;
/** Time for the browser to begin reading. */
const KEEP_MS = 60_000;

/** `path` begins behind `/api/v1`. */
export async function download(path, name) {
  try {
    const response = await fetch(`/api/v1${path}`, {
      headers: authorization(),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) {
      const data = await response.json().catch(() => ({}));
      toast(problemOf({ status: response.status, data }), 'bad');
      return;
    }
    const url = URL.createObjectURL(await response.blob());
    Object.assign(document.createElement('a'), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
  } catch {
    toast(problemOf({ status: 0 }), 'bad');
  }
}

/** Puts text where it can be pasted from; also where the page came without TLS, which has no clipboard. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied.');
  } catch {
    const field = Object.assign(document.createElement('textarea'), { value: text });
    const place = document.querySelector('dialog[open]') ?? document.body;
    place.append(field);
    field.select();
    const isDone = document.execCommand('copy');
    field.remove();
    toast(isDone ? 'Copied.' : 'The browser does not let the page copy.', isDone ? 'good' : 'bad');
  }
}
