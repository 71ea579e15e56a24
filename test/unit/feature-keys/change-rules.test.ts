import { describe, expect, test } from 'vitest';
import { NEVER_CHANGED } from '../../../src/feature-keys/providers/account-shape.ts';
import type { Feature } from '../../../src/wire/feature-event.ts';
import { checkResult, parseRingCount, propose } from '../../../src/feature-keys/change-rules.ts';
import type { Proposal } from '../../../src/feature-keys/change-rules.ts';
import type { FeatureState, RequestedFeature } from '../../../src/feature-keys/feature-state.ts';
import type { TargetVerdict } from '../../../src/feature-keys/target-policy.ts';

/** Forbids `911`, has no way to `777` and knows the account as `2001`. */
function judge(target: string): TargetVerdict {
  if (target === '911') return 'target-forbidden';
  if (target === '777') return 'no-route';
  return target === '2001' ? 'target-self' : 'allowed';
}

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const CFNA = 'CallForwardingNoAnswer';

const ON: RequestedFeature = { status: true };
const UNCHANGED: Proposal = { type: 'unchanged' };
const STORED = { forwardTo: '2424' };
const RINGING = { forwardTo: '2002', ringCount: 3 };

function change(status: boolean, values: object = {}): Proposal {
  return { type: 'change', proposed: { status, values } };
}

function refused(code: Extract<Proposal, { type: 'refused' }>['code']): Proposal {
  return { type: 'refused', code };
}

/** [what it is, feature, stored, requested, outcome] */
const PROPOSALS: [
  name: string,
  feature: Feature,
  stored: Partial<FeatureState>,
  requested: RequestedFeature,
  outcome: Proposal,
][] = [
  ['on', DND, {}, ON, change(true)],
  ['off', DND, { status: true }, { status: false }, change(false)],
  ['on again', DND, { status: true }, ON, UNCHANGED],
  [
    'on, with values that it has not',
    DND,
    {},
    { ...ON, forwardTo: '1', ringCount: 3 },
    change(true),
  ],
  ['on with a number', CFA, {}, { ...ON, forwardTo: '2424' }, change(true, STORED)],
  ['on with the stored number', CFA, { values: STORED }, ON, change(true, STORED)],
  [
    'on with an empty number',
    CFA,
    { values: STORED },
    { ...ON, forwardTo: ' ' },
    change(true, STORED),
  ],
  [
    'on with a number that nobody reaches',
    CFA,
    {},
    { ...ON, forwardTo: '777' },
    {
      type: 'refused',
      code: 'target-forbidden',
      reason: 'the dial plan has no way to this target',
    },
  ],
  [
    'off with a number that nobody reaches',
    CFA,
    { status: true, values: STORED },
    { status: false, forwardTo: '777' },
    change(false, STORED),
  ],
  ['on without any number', CFA, {}, ON, refused('no-target')],
  ['on, number cleared', CFA, { values: STORED }, { ...ON, forwardTo: null }, refused('no-target')],
  [
    'on again with another number',
    CFA,
    { status: true, values: STORED },
    { ...ON, forwardTo: '7' },
    change(true, { forwardTo: '7' }),
  ],
  [
    'on again with the same number',
    CFA,
    { status: true, values: STORED },
    { ...ON, forwardTo: '2424' },
    UNCHANGED,
  ],
  ['on to a forbidden number', CFA, {}, { ...ON, forwardTo: '911' }, refused('target-forbidden')],
  [
    'on to a stored number that is forbidden by now',
    CFA,
    { values: { forwardTo: '911' } },
    ON,
    refused('target-forbidden'),
  ],
  ['on to itself', CFA, {}, { ...ON, forwardTo: '2001' }, refused('target-self')],
  [
    'on to 257 characters',
    CFA,
    {},
    { ...ON, forwardTo: '9'.repeat(257) },
    refused('target-forbidden'),
  ],
  ['on to a line break', CFA, {}, { ...ON, forwardTo: '2\r\n4' }, refused('target-forbidden')],
  [
    'off, number kept',
    CFA,
    { status: true, values: STORED },
    { status: false },
    change(false, STORED),
  ],
  [
    'off with a new number',
    CFA,
    { status: true, values: STORED },
    { status: false, forwardTo: '7' },
    change(false, { forwardTo: '7' }),
  ],
  [
    'off with a forbidden number',
    CFA,
    { status: true, values: STORED },
    { status: false, forwardTo: '911' },
    change(false, STORED),
  ],
  [
    'off with itself',
    CFA,
    { status: true, values: STORED },
    { status: false, forwardTo: '2001' },
    change(false, STORED),
  ],
  [
    'off, number cleared',
    CFA,
    { values: STORED },
    { status: false, forwardTo: null },
    change(false),
  ],
  ['off again', CFA, { values: STORED }, { status: false }, UNCHANGED],
  ['on with rings', CFB, {}, { ...ON, forwardTo: '2424', ringCount: 4 }, change(true, STORED)],
  [
    'on with rings',
    CFNA,
    {},
    { ...ON, forwardTo: '2424', ringCount: 4 },
    change(true, { forwardTo: '2424', ringCount: 4 }),
  ],
  ['on without rings', CFNA, {}, { ...ON, forwardTo: '2424' }, change(true, STORED)],
  [
    'on with rings alone',
    CFNA,
    { values: RINGING },
    { ...ON, ringCount: 8 },
    change(true, { ...RINGING, ringCount: 8 }),
  ],
  ['on with rings alone and no number', CFNA, {}, { ...ON, ringCount: 8 }, refused('no-target')],
  [
    'on without ringing',
    CFNA,
    { values: RINGING },
    { ...ON, ringCount: 0 },
    change(true, { ...RINGING, ringCount: 0 }),
  ],
  ['on with one ring', CFNA, { values: RINGING }, { ...ON, ringCount: 1 }, refused('ring-count')],
  ['on with 21 rings', CFNA, { values: RINGING }, { ...ON, ringCount: 21 }, refused('ring-count')],
  [
    'on with half a ring',
    CFNA,
    { values: RINGING },
    { ...ON, ringCount: 2.5 },
    refused('ring-count'),
  ],
  [
    'on with rings that are no number',
    CFNA,
    { values: RINGING },
    { ...ON, ringCount: Number.NaN },
    refused('ring-count'),
  ],
  [
    'on, rings cleared',
    CFNA,
    { values: RINGING },
    { ...ON, ringCount: null },
    change(true, { forwardTo: '2002' }),
  ],
  [
    'off with 99 rings',
    CFNA,
    { status: true, values: RINGING },
    { status: false, ringCount: 99 },
    change(false, RINGING),
  ],
  [
    'off with 20 rings',
    CFNA,
    { status: true, values: RINGING },
    { status: false, ringCount: 20 },
    change(false, { ...RINGING, ringCount: 20 }),
  ],
  ['on while locked', DND, { locked: true }, ON, refused('locked')],
  ['off while locked', DND, { locked: true, status: true }, { status: false }, refused('locked')],
  ['on while unassigned', DND, { assigned: false, locked: true }, ON, refused('unassigned')],
];

describe('a change', () => {
  test.each(PROPOSALS)('%s: %s', (_name, feature, ...[stored, requested, outcome]) => {
    expect(propose(feature, { ...NEVER_CHANGED, ...stored }, requested, { judge })).toEqual(
      outcome,
    );
  });

  test.each<[string, Partial<FeatureState>, RequestedFeature, Proposal]>([
    [
      'a forbidden number while off',
      {},
      { status: false, forwardTo: '911' },
      refused('target-forbidden'),
    ],
    ['a count of 1 while off', {}, { status: false, ringCount: 1 }, refused('ring-count')],
    [
      'the stored number, forbidden by now',
      { values: { forwardTo: '911' } },
      { status: false, forwardTo: '911' },
      UNCHANGED,
    ],
    [
      'off with a forbidden number',
      { status: true, values: STORED },
      { status: false, forwardTo: '911' },
      change(false, STORED),
    ],
  ])('from one who wants stored what is named: %s', (_name, stored, requested, outcome) => {
    const current = { ...NEVER_CHANGED, ...stored };
    expect(propose(CFNA, current, requested, { judge, isStrict: true })).toEqual(outcome);
  });

  test.each([
    ['0', 0],
    ['05', 5],
    ['20', 20],
    ['99', 99],
    ['', Number.NaN],
    ['-2', Number.NaN],
    ['2.0', Number.NaN],
    ['1e1', Number.NaN],
    ['٣', Number.NaN],
    ['9'.repeat(30), Number.NaN],
  ])('reads the ring count "%s" as %s', (text, count) => {
    expect(parseRingCount(text)).toBe(count);
  });
});

describe('what a store answers', () => {
  const GIVEN = { status: true, values: {}, assigned: true, notify: true };

  test.each<[string, Feature, object, object]>([
    ['is taken', DND, { values: { forwardTo: 'x' } }, { status: true, values: {} }],
    [
      'may be normalised',
      CFA,
      { values: { forwardTo: '+1' } },
      { status: true, values: { forwardTo: '+1' } },
    ],
    ['may be off without a number', CFA, { status: false }, { status: false, values: {} }],
    [
      'may have an empty number',
      CFA,
      { status: false, values: { forwardTo: '' } },
      { status: false, values: {} },
    ],
    ['has rings for no answer', CFNA, { values: RINGING }, { status: true, values: RINGING }],
    [
      'has no rings for busy',
      CFB,
      { values: RINGING },
      { status: true, values: { forwardTo: '2002' } },
    ],
  ])('%s: %s', (_name, feature, part, outcome) => {
    expect(checkResult(feature, { ...GIVEN, ...part })).toEqual(outcome);
  });

  test.each<[string, Feature, object]>([
    ['on without a number', CFA, {}],
    ['on with an empty number', CFA, { values: { forwardTo: '' } }],
    ['one ring', CFNA, { values: { ...RINGING, ringCount: 1 } }],
    ['rings in words', CFNA, { values: { ...RINGING, ringCount: '5' } }],
    ['a number that is none', CFA, { values: { forwardTo: 2424 } }],
    ['a control character', CFA, { values: { forwardTo: '2\n' } }],
    ['a status in words', DND, { status: 'true' }],
    ['no status', DND, { status: undefined }],
    ['no values', DND, { values: null }],
    ['a flag in words', DND, { notify: 'no' }],
    ['a version in words', DND, { version: '7' }],
  ])('is its failure: %s', (_name, feature, part) => {
    expect(checkResult(feature, { ...GIVEN, ...part })).toBeUndefined();
  });
});
