import { expect, test } from 'vitest';
import { KpmlSubscriber } from '../../../src/dtmf/kpml-subscriber.ts';

test('in another dialog the peer counts its NOTIFYs anew', () => {
  const subscriber = new KpmlSubscriber({
    expiresSeconds: 7200,
    flash: false,
    tolerateMissingState: false,
    random: () => 0.5,
  });
  const notify = (cseq: number): unknown => {
    const state = 'active;expires=600';
    const body = Buffer.alloc(0);
    const outputs = subscriber.receiveNotify(
      { event: 'kpml', subscriptionState: state, body, cseq },
      1000,
    );
    return outputs.map((output) => (output.type === 'respond' ? output.status : output.type))[0];
  };
  subscriber.start(0);
  subscriber.dialogBegins();
  expect([notify(9), notify(9)]).toEqual([200, 500]);
  subscriber.dialogBegins();
  expect(notify(1)).toBe(200);
});
