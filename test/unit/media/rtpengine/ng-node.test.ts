/** A node against an ng server that misbehaves, over loopback; nothing here waits for a deadline. */
import debug from 'debug';
import { afterEach, expect, test, vi } from 'vitest';
import type { EngineRequestReport } from '../../../../src/media/rtpengine/ng-node.ts';
import { NgNode } from '../../../../src/media/rtpengine/ng-node.ts';
import { bdecode, bencode } from '../../../support/bencode.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { type NgRequest, NgServer } from '../../../support/ng-server.ts';
import { waitFor } from '../../../support/wait-for.ts';

checkLeaksAfterEach();
afterEach(() => {
  vi.restoreAllMocks();
});

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 4000 RTP/AVP 0',
  '',
].join('\r\n');

const OFFER = { 'call-id': 'one', 'from-tag': 'a', sdp: SDP };
const CALLS_AT_ONCE = 50;

/** What came, without what came again. */
function asked(server: NgServer): NgRequest[] {
  return server.received.filter(({ attempt }) => attempt === 1);
}

async function unknownName(): Promise<string> {
  return await Promise.reject(new Error('ENOTFOUND'));
}

interface Bed {
  readonly server: NgServer;
  readonly node: NgNode;
  readonly reports: EngineRequestReport[];
  readonly ups: string[];
  readonly drops: string[];
}

async function bed(host = '127.0.0.1'): Promise<Bed> {
  const server = closeAfterTest(await NgServer.start());
  const reports: EngineRequestReport[] = [];
  const ups: string[] = [];
  const drops: string[] = [];
  const node = await NgNode.open({
    host,
    port: server.port,
    name: 'engine',
    resolve: async () => await Promise.resolve('127.0.0.1'),
    onRequest: (report) => reports.push(report),
    onUp: (name, isUp) => ups.push(`${name} ${isUp}`),
    onDrop: (name, reason) => drops.push(`${name} ${reason}`),
  });
  return { server, node: closeAfterTest(node), reports, ups, drops };
}

test('a node is up with the answer to its first ping', async () => {
  const { node, server, ups, reports } = await bed();
  expect(node.isUp).toBe(true);
  expect(asked(server).map(({ command }) => command)).toEqual(['ping']);
  expect(ups).toEqual(['engine false', 'engine true']);
  expect(reports).toMatchObject([{ command: 'ping', node: 'engine', result: 'ok' }]);
  expect(reports[0]?.seconds).toBeGreaterThan(0);
});

test('a name is asked for once, not per request', async () => {
  const server = closeAfterTest(await NgServer.start());
  const names: string[] = [];
  const resolve = async (host: string): Promise<string> => {
    names.push(host);
    return await Promise.resolve('127.0.0.1');
  };
  const options = { host: 'engine.example.com', port: server.port, resolve };
  const node = closeAfterTest(await NgNode.open(options));
  await node.ping();
  await node.ping();
  expect(node.name).toBe(`engine.example.com:${server.port}`);
  expect(names).toEqual(['engine.example.com']);
});

test('a node whose name has no address is down at once', async () => {
  const options = { host: 'nowhere.example.com', port: 9, resolve: unknownName };
  const node = closeAfterTest(await NgNode.open(options));
  expect(node.isUp).toBe(false);
  expect(await node.offer(OFFER)).toMatchObject({ type: 'failed', reason: 'node-down' });
  expect(await node.ping()).toMatchObject({ type: 'failed', reason: 'node-down' });
});

test('a call is offered, answered, asked for and deleted', async () => {
  const { node, server } = await bed();
  const offered = await node.offer({ ...OFFER, flags: ['inject DTMF'], 'to-tag': undefined });
  expect(offered).toMatchObject({ type: 'ok', sdp: SDP.replace('s=-', 's=offer one') });
  const answered = await node.answer({ ...OFFER, 'to-tag': 'b' });
  expect(answered).toMatchObject({ type: 'ok', sdp: SDP.replace('s=-', 's=answer one') });
  expect(await node.query({ 'call-id': 'one' })).toMatchObject({ type: 'ok' });
  const key = { 'call-id': 'one', 'from-tag': 'a', code: '5', duration: 250 };
  expect(await node.playDtmf(key)).toMatchObject({ type: 'ok' });
  expect(await node.delete({ 'call-id': 'one' })).toMatchObject({ type: 'ok' });
  expect(await node.delete({ 'call-id': 'one' })).toMatchObject({
    type: 'ok',
    warning: "Call-ID not found or tags didn't match",
  });
  const requests = asked(server).map(({ request }) => request);
  expect(requests[1]).toEqual({ ...OFFER, flags: ['inject DTMF'], command: 'offer' });
  expect(requests[4]).toEqual({ ...key, command: 'play DTMF' });
});

test('a lost request and a lost answer are asked for again under the same cookie', async () => {
  const { node, server } = await bed();
  server.fault = ({ attempt }) => {
    if (attempt === 1) return { type: 'lose-request' };
    return attempt === 2 ? { type: 'lose-answer' } : { type: 'none' };
  };
  expect(await node.offer(OFFER)).toMatchObject({ type: 'ok' });
  const offers = server.received.filter(({ command }) => command === 'offer');
  const [first, second, third] = offers;
  expect(first?.cookie).toMatch(/^[0-9a-f-]{36}$/);
  expect([second?.cookie, third?.cookie]).toEqual([first?.cookie, first?.cookie]);
  expect(server.carriedOut.get(first?.cookie ?? '')).toBe(1);
});

test.each([
  ['an error', { result: 'error', 'error-reason': 'Unknown call-id' }, 'engine-error'],
  ['no ports', { result: 'error', 'error-reason': 'Ran out of ports' }, 'no-ports'],
  [
    'a full house',
    { result: 'error', 'error-reason': 'Parallel session limit reached' },
    'overload',
  ],
  ['a load limit', { result: 'load limit', message: 'Load limit exceeded' }, 'overload'],
  ['an error without reason', { result: 'error' }, 'engine-error'],
  ['no result', { sdp: SDP }, 'bad-answer'],
  ['no SDP', { result: 'ok' }, 'bad-answer'],
  ['SDP that is none', { result: 'ok', sdp: 'hello' }, 'bad-answer'],
  ['a pong', { result: 'pong' }, 'bad-answer'],
])('%s in answer to an offer is a failure with a name', async (_what, answer, reason) => {
  const { node, server, reports } = await bed();
  server.fault = () => ({ type: 'say', answer });
  expect(await node.offer(OFFER)).toMatchObject({ type: 'failed', reason });
  expect(reports.at(-1)).toMatchObject({ command: 'offer', result: reason });
  expect(node.isUp).toBe(true);
});

test('garbage, repeated and spoofed answers are counted and harm nothing', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { node, server, drops } = await bed();
  server.fault = ({ cookie, attempt }) => {
    if (attempt > 1) return { type: 'repeat', times: 3 };
    const datagrams = [
      '',
      'garbage',
      `${'0'.repeat(36)} d6:result2:oke`,
      `${cookie} `,
      `${cookie} d6:result2:ok`,
      // A decoder that believes this length reads the same byte for ever.
      `${cookie} l-3:e`,
      `${cookie} d1:al-3:ee`,
      `${cookie} ${'l'.repeat(60_000)}`,
    ];
    return { type: 'as', datagrams };
  };
  expect(await node.offer(OFFER)).toMatchObject({ type: 'ok' });
  await waitFor('two repeated answers', () => node.drops['not-awaited'] >= 3);
  expect(node.drops).toMatchObject({ stranger: 0, 'no-cookie': 3, malformed: 4 });
  expect(drops.filter((drop) => drop === 'engine malformed')).toHaveLength(4);

  const before = { ...node.drops };
  server.fault = () => ({ type: 'from-elsewhere', answer: { result: 'error' } });
  expect(await node.offer(OFFER)).toMatchObject({ type: 'ok' });
  await waitFor('the spoofed answer', () => {
    return (
      node.drops.stranger > before.stranger || node.drops['not-awaited'] > before['not-awaited']
    );
  });
  expect(print).not.toHaveBeenCalled();
});

test('nothing of a request is printed, whatever happens to it', async () => {
  const printed: string[] = [];
  for (const method of ['log', 'warn', 'error', 'trace'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      printed.push(words.map(String).join(' '));
    });
  }
  const { node, server } = await bed();
  const key = { 'call-id': 'one', 'from-tag': 'a', code: '7' };
  await node.playDtmf(key);
  server.fault = () => ({ type: 'say', answer: { result: 'error', 'error-reason': 'no 7 here' } });
  expect(await node.playDtmf(key)).toMatchObject({ detail: 'no ? here' });
  expect(await node.playDtmf({ ...key, duration: 1.5 })).toMatchObject({ reason: 'engine-error' });
  server.say('7 garbage with SDP', server.clientPort);
  await waitFor('the garbage', () => node.drops['no-cookie'] > 0);
  expect(printed).toEqual([]);
});

test('nor when all libraries are traced', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  debug.enable('*');
  try {
    const { node } = await bed();
    await node.offer(OFFER);
    expect(debug.enabled('rtpengine:Client')).toBe(false);
    expect(debug.enabled('other')).toBe(true);
    const texts = written.mock.calls.map(([text]) => String(text));
    expect(texts.filter((text) => text.includes('rtpengine'))).toEqual([]);
  } finally {
    debug.disable();
  }
});

test('SDP with bytes that are no UTF-8 is asked for readably, or not at all', async () => {
  const { node, server } = await bed();
  await node.offer({ ...OFFER, sdp: SDP.replace('s=-', 's=Gr\uFFFDn') });
  expect(asked(server).at(-1)?.request['sdp']).toBe(SDP.replace('s=-', 's=Gr?n'));
  const count = asked(server).length;
  const refused = await node.offer({ ...OFFER, sdp: SDP.replace('4000', '4\uFFFD') });
  expect(refused).toMatchObject({ type: 'failed', reason: 'engine-error' });
  expect(asked(server)).toHaveLength(count);
});

test('a request longer than a datagram is refused', async () => {
  const { node } = await bed();
  const sdp = `${SDP}a=x:${'x'.repeat(70_000)}\r\n`;
  expect(await node.offer({ ...OFFER, sdp })).toMatchObject({
    type: 'failed',
    reason: 'engine-error',
    detail: 'the request is too long',
  });
});

test('many requests at once get their own answers', async () => {
  const { node, server } = await bed();
  // The later it was asked, the sooner it is answered.
  server.fault = () => ({
    type: 'delay',
    ms: CALLS_AT_ONCE - (server.received.length % CALLS_AT_ONCE),
  });
  const calls = Array.from({ length: CALLS_AT_ONCE }, (_, index) => `call-${index}`);
  const results = await Promise.all(
    calls.map((callId) => node.offer({ ...OFFER, 'call-id': callId })),
  );
  for (const [index, result] of results.entries()) {
    expect(result).toMatchObject({ type: 'ok', sdp: SDP.replace('s=-', `s=offer call-${index}`) });
  }
});

test('what is under way at the end fails, and so does what comes after', async () => {
  const { node, server, ups } = await bed();
  server.fault = () => ({ type: 'lose-request' });
  const underWay = node.offer(OFFER);
  await waitFor('the offer', () => server.received.at(-1)?.command === 'offer');
  await Promise.all([node.close(), node.close()]);
  expect(await underWay).toMatchObject({ type: 'failed', reason: 'node-down' });
  expect(await node.ping()).toMatchObject({ type: 'failed', reason: 'node-down' });
  expect(node.isUp).toBe(false);
  expect(ups).toEqual(['engine false', 'engine true']);
});

test('an address that is not of this host is refused when the node is opened', async () => {
  const options = { host: '127.0.0.1', port: 9, localAddress: '192.0.2.1' };
  await expect(NgNode.open(options)).rejects.toThrow('EADDRNOTAVAIL');
});

test('the codec of these tests reads what it writes', () => {
  const dictionary = { a: 1, b: 'ü', c: ['d', { e: -7 }], f: {} };
  expect(bdecode(Buffer.from(bencode(dictionary)))).toEqual(dictionary);
});
