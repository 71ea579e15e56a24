import { expect, test } from 'vitest';
import { EARLY_REQUESTS, countEarlyRequests } from '../support/engine-pacing.ts';

/**
 *   alice                    engine thread                        application
 *     |--INVITE----------------->|------------------------------------>| createUAS
 *     |<-200---------------------|<------------------------------------|
 *     |--ACK, SUBSCRIBE--------->|--OK of the 200--------------------->| promise resolves
 *     |   (same millisecond)     |--ACK-->|          … listener is attached
 *     |                          |--SUBSCRIBE (held after the OK)----->| 'subscribe'
 *     |<-200, not 489------------|<------------------------------------|
 *
 * The same with a re-INVITE ('modify', not the old answer again) and a BYE ('destroy').
 */
const PEERS = 12;
const CALLS_PER_KIND = 30;

test('SUBSCRIBE, re-INVITE and BYE right behind the ACK find their listener, every time', async () => {
  const counts = await countEarlyRequests(PEERS, CALLS_PER_KIND);

  const expected = EARLY_REQUESTS.map((kind) => [kind, { found: CALLS_PER_KIND, lost: [] }]);
  expect([...counts]).toEqual(expected);
});
