/** A process that changes features of an SQLite file without end and says what was acknowledged: to be killed. */
import process from 'node:process';
import { FEATURES } from '../../src/wire/feature-event.ts';
import { openFeatureStore } from '../../src/feature-keys/providers/open-store.ts';
import { createLog } from '../../src/observe/log.ts';

const [file = '', accounts = '1'] = process.argv.slice(2);
const { provider } = await openFeatureStore(
  {
    provider: { kind: 'sqlite', file, unknownAccount: 'accept', deadlineMs: 3000 },
    history: { keepMs: 0, file: '' },
  },
  { log: createLog('silent'), nowMs: Date.now },
);

async function toggle(account: string): Promise<never> {
  for (let round = 0; ; round += 1) {
    const feature = FEATURES[round % FEATURES.length] ?? FEATURES[0];
    const context = {
      source: 'phone',
      actor: account,
      param: null,
      requestId: `${account}-${round}`,
      deadlineMs: 3000,
      signal: AbortSignal.timeout(30_000),
      origin: { callId: `${account}-${round}` },
    } as const;
    const state = await provider.getAll(account, context);
    if (state === undefined) throw new Error('the account is gone');
    const current = state[feature];
    const proposed = { status: !current.status, values: { forwardTo: String(round) } };
    const change = { requested: { status: proposed.status }, current, proposed };
    const { version } = await provider.set(account, feature, change, context);
    // Written at once: what was said before the kill is what counts.
    process.stdout.write(`${account} ${feature} ${version} ${round}\n`);
  }
}

await Promise.all(
  Array.from({ length: Number(accounts) }, (_, index) => toggle(`sip:${index}@pbx.example`)),
);
