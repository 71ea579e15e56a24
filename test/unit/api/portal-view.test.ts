import { expect, test } from 'vitest';
import { readFlags, readRequested } from '../../../src/api/portal-view.ts';

test.each<[body: Record<string, unknown>, read: object | 'refused']>([
  [{ status: true }, { status: true }],
  [
    { status: false, forwardTo: null },
    { status: false, forwardTo: null },
  ],
  [
    { status: true, forwardTo: ' 2424 ' },
    { status: true, forwardTo: '2424' },
  ],
  [
    { status: true, forwardTo: 'Müller 😀' },
    { status: true, forwardTo: 'Müller 😀' },
  ],
  [
    { status: true, forwardTo: '😀'.repeat(256) },
    { status: true, forwardTo: '😀'.repeat(256) },
  ],
  [
    { status: true, ringCount: 0 },
    { status: true, ringCount: 0 },
  ],
  [
    { status: true, ringCount: null },
    { status: true, ringCount: null },
  ],
  [{ status: true, other: 1 }, { status: true }],
  [{}, 'refused'],
  [{ status: 1 }, 'refused'],
  [{ status: 'true' }, 'refused'],
  [{ status: true, forwardTo: '' }, 'refused'],
  [{ status: true, forwardTo: '  ' }, 'refused'],
  [{ status: true, forwardTo: 2424 }, 'refused'],
  [{ status: true, forwardTo: '24\n24' }, 'refused'],
  [{ status: true, forwardTo: '24\u{0}24' }, 'refused'],
  [{ status: true, forwardTo: '2\u{d800}4' }, 'refused'],
  [{ status: true, forwardTo: 'x'.repeat(257) }, 'refused'],
  [{ status: true, ringCount: '5' }, 'refused'],
  [{ status: true, ringCount: 2.5 }, 'refused'],
  [{ status: true, ringCount: Number.NaN }, 'refused'],
])('a change %j is read as %j', (body, read) => {
  const requested = readRequested(body);
  expect(typeof requested === 'string' ? 'refused' : requested).toEqual(read);
});

test.each<[body: Record<string, unknown>, read: object | 'refused']>([
  [{ assigned: false }, { assigned: false }],
  [{ locked: true }, { locked: true }],
  [
    { assigned: true, locked: false },
    { assigned: true, locked: false },
  ],
  [{}, 'refused'],
  [{ assigned: 'no' }, 'refused'],
  [{ assigned: true, locked: 1 }, 'refused'],
])('flags %j are read as %j', (body, read) => {
  const flags = readFlags(body);
  expect(typeof flags === 'string' ? 'refused' : flags).toEqual(read);
});
