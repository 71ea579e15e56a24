import { expect, test } from 'vitest';
import { findReferenced } from '../../../src/call/digits/kpml-references.ts';

function dialog(callId: string, localTag: string, remoteTag: string) {
  return { identity: { callId, localTag, remoteTag } };
}

const PLAIN = [dialog('a', 'us', 'them'), dialog('b', 'us', 'them')];
/** A loop: both dialogs of ours have the same Call-ID and the same two tags. */
const LOOP = [dialog('a', 'one', 'two'), dialog('a', 'two', 'one')];
const FORKS = [dialog('a', 'us', 'one'), dialog('a', 'us', 'two')];

test.each([
  ['as we have it', { callId: 'b', localTag: 'us', remoteTag: 'them' }, PLAIN, 1],
  ['tags turned', { callId: 'b', localTag: 'them', remoteTag: 'us' }, PLAIN, 1],
  ['Call-ID alone', { callId: 'a' }, PLAIN, 0],
  ['one tag', { callId: 'a', remoteTag: 'two' }, FORKS, 1],
  ['Call-ID alone in a loop', { callId: 'a' }, LOOP, undefined],
  ['Call-ID alone of forks', { callId: 'a' }, FORKS, undefined],
  ['exact in a loop', { callId: 'a', localTag: 'two', remoteTag: 'one' }, LOOP, 1],
  ['another tag', { callId: 'a', localTag: 'us', remoteTag: 'x' }, PLAIN, undefined],
  ['another Call-ID', { callId: 'c', localTag: 'us', remoteTag: 'them' }, PLAIN, undefined],
  ['no Call-ID', { localTag: 'us', remoteTag: 'them' }, [dialog('a', 'us', 'them')], undefined],
  ['no dialogs', { callId: 'a' }, [], undefined],
])('%s', (_what, reference, dialogs, index) => {
  const found = findReferenced(reference, dialogs);
  expect(found).toBe(index === undefined ? undefined : dialogs[index]);
});
