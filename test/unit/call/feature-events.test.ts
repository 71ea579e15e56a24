import { expect, test } from 'vitest';
import { featureEvents } from '../../../src/call/outside/feature-events.ts';
import type { SipResponse } from '../../../src/wire/sip-message.ts';
import { configOf, SAMPLE } from '../config/sample.ts';

const BASE = configOf(SAMPLE).featureKeys;
const SERVED = {
  enabled: true,
  mode: 'serve',
  domains: { 'pbx.example': ['192.0.2.10'] },
} as const;

test.each([
  ['sip:2001@pbx.example', SERVED, [], 'as-feature-event'],
  ['sip:2001@192.0.2.10', SERVED, ['dialog', 'presence'], 'dialog, presence, as-feature-event'],
  ['sip:2001@pbx.example', SERVED, ['as-feature-event'], undefined],
  ['sip:2001@else.example', SERVED, ['dialog'], undefined],
  ['nonsense', SERVED, [], undefined],
  ['sip:2001@pbx.example', { ...SERVED, enabled: false }, [], undefined],
  ['sip:2001@pbx.example', { ...SERVED, mode: 'pass' }, [], undefined],
  ['sip:2001@pbx.example', { ...SERVED, featureKeysMode: 'pass' }, [], undefined],
  [
    'sip:2001@pbx.example',
    { ...SERVED, mode: 'pass', featureKeysMode: 'serve' },
    [],
    'as-feature-event',
  ],
] as const)('a REGISTER of %s is answered with Allow-Events %#', (aor, config, named, value) => {
  const headers = named.map((name) => ({ name: 'Allow-Events', value: name }));
  const answer: SipResponse = {
    type: 'response',
    status: 200,
    reason: 'OK',
    headers,
    body: Buffer.alloc(0),
  };
  const { featureKeysMode, ...featureKeys } = { featureKeysMode: undefined, ...config };
  const sipInterface = { name: 'access', featureKeysMode };
  const told = featureEvents(
    answer,
    aor,
    { featureKeys: { ...BASE, ...featureKeys } },
    sipInterface,
  );
  expect(told['Allow-Events']).toBe(value);
});
