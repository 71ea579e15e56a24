import { describe, expect, test } from 'vitest';
import { documentOf, EVERY_KEY, NotifierBench } from './kpml-notifier-bench.ts';

describe('what a SUBSCRIBE is answered', () => {
  const answers: [
    name: string,
    headers: Record<string, string | undefined>,
    status: number,
    answer: object,
  ][] = [
    ['no Event', { event: undefined }, 489, { 'Allow-Events': 'kpml' }],
    ['another package', { event: 'dialog' }, 489, { 'Allow-Events': 'kpml' }],
    ['capital letters in the package', { event: 'KPML' }, 489, { 'Allow-Events': 'kpml' }],
    ['unreadable Event', { event: 'kpml;id="' }, 400, {}],
    ['Accept without kpml', { accept: 'text/plain' }, 406, {}],
    ['Accept with kpml', { accept: 'application/kpml-response+xml' }, 200, { Expires: '7200' }],
    ['no Expires', { expires: undefined }, 200, { Expires: '7200' }],
    ['a shorter lifetime', { expires: '600' }, 200, { Expires: '600' }],
    ['a very long lifetime', { expires: '1000000000' }, 200, { Expires: '86400' }],
    ['a negative lifetime', { expires: '-1' }, 400, {}],
    ['a lifetime in words', { expires: 'soon' }, 400, {}],
    ['a lifetime beyond 32 bits', { expires: '4294967296' }, 400, {}],
    ['too short a lifetime', { expires: '10' }, 423, { 'Min-Expires': '60' }],
    ['the shortest lifetime', { expires: '60' }, 200, { Expires: '60' }],
    ['text/xml', { contentType: 'text/xml' }, 415, { Accept: 'application/kpml-request+xml' }],
    [
      'multipart',
      { contentType: 'multipart/mixed;boundary=x' },
      415,
      { Accept: 'application/kpml-request+xml' },
    ],
    [
      'no Content-Type',
      { contentType: undefined },
      415,
      { Accept: 'application/kpml-request+xml' },
    ],
  ];

  test.each(answers)('%s', (_name, headers, status, answer) => {
    const bench = new NotifierBench();
    expect(bench.subscribe(EVERY_KEY, headers)).toEqual({ status, headers: answer });
    expect(bench.notifies).toHaveLength(status === 200 ? 1 : 0);
  });

  test.each([
    ['text that is no XML', 'digits=1', 400],
    ['a document type', '<!DOCTYPE k><k/>', 400],
    ['a NUL', '<k a="\u0000"/>', 400],
    ['more than 16 kB', ' '.repeat(17_000), 413],
  ])('%s is refused and leaves the running subscription alone', (_name, body, status) => {
    const bench = new NotifierBench();
    bench.subscribe();
    expect(bench.subscribe(body).status).toBe(status);
    expect(bench.pressed('1')).toEqual(['active', 'active 200 "1"']);
  });

  test.each([
    ['no valid request', '<kpml-request version="1.0"/>', 'rejected', 501],
    ['UTF-16', Buffer.from('\uFEFF<k/>', 'utf16le'), 'rejected', 501],
    ['a foreign namespace', '<kpml-request xmlns="urn:evil"/>', 'rejected', 502],
    ['a bad expression', documentOf('', 'x', 'x{'), 'rejected', 501],
    ['too large an expression', documentOf('', 'x{1001}'), 'rejected', 501],
    ['too complex a document', documentOf('', ...Array(11).fill('x{1000}')), 'rejected', 501],
    ['more than 100 expressions', documentOf('', ...Array(101).fill('x')), 'rejected', 534],
  ])('%s is accepted, then refused by NOTIFY', (_name, body, reason, code) => {
    const bench = new NotifierBench();
    expect(bench.subscribe(body).status).toBe(200);
    expect(bench.story()).toEqual([`terminated;reason=${reason} ${code}`]);
    expect(bench.notifier.subscriptions).toEqual([]);
  });

  test('a bad document ends the subscription it was meant for', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100);
    bench.subscribe(documentOf('', 'E'));
    expect(bench.pressed('1')).toEqual(['active', 'terminated;reason=rejected 501']);
  });

  test('the minimum binds only below an hour', () => {
    const bench = new NotifierBench({ minExpires: 7200 });
    expect(bench.subscribe(EVERY_KEY, { expires: '3599' }).status).toBe(423);
    expect(bench.subscribe(EVERY_KEY, { expires: '3600' }).status).toBe(200);
  });

  test('the packages of the leg are listed in a 489', () => {
    const bench = new NotifierBench({ otherPackages: ['as-feature-event'] });
    const both = { 'Allow-Events': 'kpml, as-feature-event' };
    expect(bench.subscribe('', { event: 'dialog' })).toEqual({ status: 489, headers: both });
    bench.take(bench.notifier.setMode('refused', bench.nowMs));
    const other = { 'Allow-Events': 'as-feature-event' };
    expect(bench.subscribe()).toEqual({ status: 489, headers: other });
  });
});

describe('the dialog named by Event', () => {
  const dialog = { callId: 'c@h', localTag: 'ours', remoteTag: 'theirs' };

  test.each([
    ['none', 'kpml', ['active'], []],
    ['ours', 'kpml;call-id="c@h";local-tag=ours;remote-tag=theirs', ['active'], []],
    [
      'ours, tags in addresses',
      'kpml;call-id="c@h";local-tag="sip:a@b;tag=ours";remote-tag="<sip:c@d;tag=theirs>"',
      ['active'],
      [],
    ],
    [
      'ours, tags swapped',
      'kpml;call-id="c@h";local-tag=theirs;remote-tag=ours',
      ['active'],
      ['swapped-tags'],
    ],
  ])('%s', (_name, event, story, oddities) => {
    const bench = new NotifierBench({ dialog });
    expect(bench.subscribe(EVERY_KEY, { event }).status).toBe(200);
    expect(bench.story()).toEqual(story);
    expect(bench.notifier.subscriptions[0]?.oddities).toEqual(oddities);
  });

  test('another one is accepted, then refused by NOTIFY 481', () => {
    const bench = new NotifierBench({ dialog });
    expect(bench.subscribe(EVERY_KEY, { event: 'kpml;call-id=x' }).status).toBe(200);
    expect(bench.story()).toEqual(['terminated;reason=noresource 481']);
  });

  test('without a known dialog nothing is judged', () => {
    const bench = new NotifierBench();
    bench.subscribe(EVERY_KEY, { event: 'kpml;call-id=x' });
    expect(bench.story()).toEqual(['active']);
  });
});

test.each([
  ['kpml', true],
  ['kpml;call-id="a"', true],
  ['kpml;id=1', false],
  ['kpml;id="', false],
  [undefined, false],
])('Event %s is of the subscription without id: %s', (event, isHeld) => {
  const bench = new NotifierBench();
  bench.subscribe();
  expect(bench.notifier.holds(event)).toBe(isHeld);
});

test('where the dialog may hold one, the second is told 533', () => {
  const bench = new NotifierBench({ maxSubscriptions: 1 });
  const statuses = ['1', '2'].map((id) => bench.subscribe(EVERY_KEY, { event: `kpml;id=${id}` }));
  expect(statuses.map(({ status }) => status)).toEqual([200, 200]);
  expect(bench.notifies.map(({ id, code }) => [id, code])).toEqual([
    ['1', undefined],
    ['2', 533],
  ]);
});

describe('refreshing', () => {
  test('with the same document extends the lifetime', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(7_000_000);
    bench.subscribe();
    bench.wait(7_000_000);
    expect(bench.pressed('1')).toEqual(['active', 'active', 'active 200 "1"']);
  });

  test('without a body keeps the document', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(7_000_000);
    bench.subscribe('', { expires: '600' });
    expect(bench.notifies.at(-1)).toMatchObject({ state: 'active', expiresSeconds: 600 });
    expect(bench.pressed('1').at(-1)).toBe('active 200 "1"');
  });

  test('without a body unloads the document where that is configured', () => {
    const bench = new NotifierBench({ bodylessRefresh: 'unload' });
    bench.subscribe();
    bench.wait(100);
    bench.subscribe('');
    expect(bench.pressed('12')).toEqual(['active', 'active']);
    bench.subscribe();
    expect(bench.pressed('')).toEqual(['active 200 "1"', 'active 200 "2"']);
  });

  test('a first SUBSCRIBE without body is silent until a document comes', () => {
    const bench = new NotifierBench();
    expect(bench.subscribe('').status).toBe(200);
    expect(bench.pressed('12')).toEqual(['active']);
    bench.subscribe();
    expect(bench.pressed('3')).toEqual(['active 200 "1"', 'active 200 "2"', 'active 200 "3"']);
  });

  test('a first SUBSCRIBE without body gets every key where that is configured', () => {
    const bench = new NotifierBench({ defaultPattern: true });
    bench.subscribe('');
    expect(bench.pressed('1#')).toEqual(['active', 'active 200 "1"', 'active 200 "#"']);
    const withFlash = new NotifierBench({ defaultPattern: true, flash: true });
    withFlash.subscribe('');
    expect(withFlash.pressed('R')).toEqual(['active', 'active 200 "R"']);
  });
});

describe('ending', () => {
  test('a first SUBSCRIBE with Expires 0 is a look at the state', () => {
    const bench = new NotifierBench();
    expect(bench.subscribe(EVERY_KEY, { expires: '0' }).status).toBe(200);
    expect(bench.pressed('1')).toEqual(['terminated;reason=timeout']);
  });

  test('Expires 0 hands over what was collected', () => {
    const bench = new NotifierBench();
    bench.subscribe(documentOf('persist="persist"', 'x{4}'));
    bench.press('12', 100);
    bench.subscribe('', { expires: '0' });
    bench.wait(100);
    expect(bench.notifies.at(-1)).toMatchObject({
      code: 487,
      digits: '12',
      pressIds: ['1:1', '2:2'],
    });
    expect(bench.drops).toEqual([]);
  });

  test('Expires 0 with a document tries it on what was collected', () => {
    const bench = new NotifierBench();
    bench.subscribe(documentOf('persist="persist"', 'x{4}'));
    bench.press('123', 100);
    bench.subscribe(documentOf('persist="persist"', 'x'), { expires: '0' });
    bench.wait(200);
    expect(bench.story()).toEqual([
      'active',
      'active 200 "1"',
      'active 200 "2"',
      'terminated;reason=timeout 200 "3"',
    ]);
  });

  test('Expires 0 with a one-shot document loses the keys behind its match', () => {
    const bench = new NotifierBench();
    bench.subscribe(documentOf('persist="persist"', 'x{4}'));
    bench.press('12', 100);
    bench.subscribe(documentOf('', 'x'), { expires: '0' });
    bench.wait(100);
    expect(bench.story()).toEqual(['active', 'terminated;reason=timeout 200 "1"']);
    expect(bench.drops).toEqual([{ pressId: '2:2', reason: 'subscription-ended' }]);
  });

  test('Expires 0 with a document that fits nothing is a 487', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100);
    bench.subscribe(documentOf('', '#'), { expires: '0' });
    expect(bench.story()).toEqual(['active', 'terminated;reason=timeout 487 ""']);
  });

  test('a successor with the same id speaks after the last NOTIFY', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.subscribe('', { expires: '0' });
    bench.subscribe();
    expect(bench.pressed('1')).toEqual([
      'active',
      'terminated;reason=timeout 487 ""',
      'active',
      'active 200 "1"',
    ]);
  });

  test('a fatal answer to the last NOTIFY spares the successor', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100);
    bench.answer = { status: 481, afterMs: 50 };
    bench.subscribe('', { expires: '0' });
    bench.answer = { status: 200, afterMs: 5 };
    bench.subscribe();
    expect(bench.pressed('1').slice(-2)).toEqual(['active', 'active 200 "1"']);
  });
});
