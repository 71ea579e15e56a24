/** Ends a call when somebody says so twice. */
import { problemOf, request } from './client.js';
import { confirmed, toast } from './dialogs.js';
import { html } from './html.js';

async function endCall(call) {
  const number = call.to || call.id;
  const isWanted = await confirmed({
    title: 'End this call?',
    text: `The call to ${number} is ended on both sides.`,
    action: 'End call',
  });
  if (!isWanted) return;
  const answer = await request('DELETE', `/calls/${encodeURIComponent(call.id)}`);
  if (answer.status === 204 || answer.status === 409) toast(`The call to ${number} has ended.`);
  else toast(problemOf(answer), 'bad');
}

export function EndButton({ call }) {
  return html`<button
    type="button"
    class="small"
    aria-label=${`End the call to ${call.to || call.id}`}
    onClick=${() => void endCall(call)}
  >
    End
  </button>`;
}
