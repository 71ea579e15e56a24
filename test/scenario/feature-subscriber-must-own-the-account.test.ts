/**
 *   phone                        SBC
 *     | SUBSCRIBE                  |
 *     |--------------------------->|
 *     |   401, nonce               |
 *     |<---------------------------|
 *     | SUBSCRIBE, credentials     |
 *     |--------------------------->|
 *     |   200, or 403 when the     |
 *     |   account is another one's |
 *     |<---------------------------|
 */
import { expect, test } from 'vitest';
import { ACCOUNT, CHALLENGED, openFeatureStage } from '../support/feature-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { branchOf, headerValues } from '../support/sip-text.ts';

checkLeaksAfterEach();

function asserted(user: string): readonly [string, string] {
  return ['P-Asserted-Identity', `<sip:${user}@pbx.example>`];
}

test('every SUBSCRIBE is challenged, a cached nonce counts up, an old one is stale', async () => {
  const stage = await openFeatureStage({ ...CHALLENGED, nonce: '60s' });
  const phone = await stage.phone();
  // A SUBSCRIBE that is sent again gets its answer again.
  const answers = (): string[] => {
    const received = phone.log.filter(({ direction }) => direction === 'received');
    const once = new Map(received.map(({ message }) => [branchOf(message), message]));
    return [...once.values()]
      .map(({ startLine }) => startLine.split(' ')[1] ?? '')
      .filter((status) => /^\d+$/.test(status));
  };
  const first = await phone.subscribe();
  const cached = await phone.setDnd(true);
  await phone.nextNotify();
  const before = answers();
  stage.skip(61_000);
  const renewed = await phone.unsubscribe();
  const stale = new Set(
    phone.log.map(({ text }) => text).filter((text) => text.includes('stale=true')),
  );

  expect([first.status, cached.status, renewed.status]).toEqual([200, 200, 200]);
  expect(before).toEqual(['401', '200', '200']);
  expect(answers()).toEqual(['401', '200', '200', '401', '200']);
  expect(stale.size).toBe(1);
  expect(stage.store.rows.map(({ actor }) => actor)).toEqual(['2001']);
});

test('nobody without the password, and nobody else with theirs, gets at an account', async () => {
  const stage = await openFeatureStage(CHALLENGED);
  const owner = await stage.phone();
  await owner.subscribe();
  await owner.nextNotify();
  const strangers = [
    await stage.phone({ credentials: { username: '2001', password: 'wrong' } }),
    await stage.phone({ credentials: { username: 'nobody', password: 'secret-2001' } }),
    await stage.phone({ credentials: { username: '2002', password: 'secret-2002' } }),
    await stage.phone({
      credentials: { username: '2002', password: 'secret-2002' },
      fromUser: '2001',
    }),
  ];
  const statuses: number[] = [];
  for (const phone of strangers) {
    statuses.push((await phone.subscribe()).status, (await phone.setDnd(true)).status);
  }
  const plain = await stage.phone({ credentials: { username: '', password: '' } });
  const broken = await plain.subscribe({ headers: [['Authorization', 'Digest nonsense']] });
  const mine = await owner.refresh();
  await owner.nextNotify();

  expect(statuses).toEqual([401, 401, 401, 401, 403, 403, 403, 403]);
  expect([broken.status, mine.status]).toEqual([400, 200]);
  expect(stage.store.calls.every(({ context }) => context.actor === '2001')).toBe(true);
  expect([owner.notifies.length, stage.store.rows.length]).toEqual([2, 0]);
  expect(stage.logLines.join('\n')).toContain('feature subscription refused');
});

test('a device that names itself in From is known by its password', async () => {
  const stage = await openFeatureStage({
    ...CHALLENGED,
    users: '{ device: { password: x, accounts: ["2001", "2002"] } }',
    algorithms: '[SHA-256, MD5]',
  });
  const credentials = { username: 'device@pbx.example', password: 'x' };
  const phone = await stage.phone({ credentials, fromUser: '00085d123456' });
  const challenge = await (
    await stage.phone({ credentials: { username: '', password: '' } })
  ).subscribe();
  const answer = await phone.subscribe();
  await phone.nextNotify();
  await phone.setDnd(true);
  await phone.nextNotify();
  expect(headerValues(challenge.message, 'WWW-Authenticate')).toEqual([
    expect.stringContaining('algorithm=SHA-256'),
    expect.stringContaining('algorithm=MD5'),
  ]);
  expect(answer.status).toBe(200);
  expect(stage.store.rows[0]).toMatchObject({ actor: 'device', presentity: ACCOUNT });
});

test('a trusted network is believed, by P-Asserted-Identity before From', async () => {
  const stage = await openFeatureStage();
  const plain = await stage.phone();
  const proxied = await stage.phone({ fromUser: 'mac', headers: [asserted('2001')] });
  const other = await stage.phone({ headers: [asserted('2002')] });
  const nameless = await stage.phone({ fromUser: '2002' });
  const statuses: number[] = [];
  for (const phone of [plain, proxied, other, nameless]) {
    statuses.push((await phone.subscribe()).status);
  }
  expect(statuses).toEqual([200, 200, 403, 403]);
});

test('an account holds so many dialogs and no more', async () => {
  const stage = await openFeatureStage({ subscriptions: '{ per-account: 2 }' });
  const phones = [await stage.phone(), await stage.phone(), await stage.phone()];
  const statuses: number[] = [];
  for (const phone of phones) statuses.push((await phone.subscribe()).status);
  const [first, , last] = phones;
  const poll = await last?.subscribe({ expires: 0 });
  await first?.nextNotify();
  await first?.unsubscribe();
  await first?.nextNotify();
  await expect.poll(() => stage.subscriptions.size).toBe(1);
  await expect.poll(async () => (await last?.subscribe())?.status).toBe(200);
  expect([...statuses, poll?.status]).toEqual([200, 200, 403, 200]);
});

test('a body too large is refused before it is looked at', async () => {
  const stage = await openFeatureStage(CHALLENGED);
  const phone = await stage.phone({ transport: 'tcp' });
  const answer = await phone.subscribe({ body: 'x'.repeat(60_000) });
  const megabyte = await phone.subscribe({ body: 'x'.repeat(1_000_000) });
  expect([answer.status, answer.warning]).toEqual([413, expect.stringContaining('limits')]);
  expect([megabyte.status, stage.store.calls.length]).toEqual([413, 0]);
});
