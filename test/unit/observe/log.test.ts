import { describe, expect, test } from 'vitest';
import { callLog, createLog } from '../../../src/observe/log.ts';
import type { Log } from '../../../src/observe/log.ts';

const SECRET = 'hunter2-5ecret';
const DIGITS = '47110815';

class MemoryStream {
  text = '';

  write(line: string): void {
    this.text += line;
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

function memoryLog(options?: { showDigits: boolean }): { log: Log; memory: MemoryStream } {
  const memory = new MemoryStream();
  return { log: createLog('info', memory, options), memory };
}

/** Everything a careless caller may hand over. */
const CARELESS: readonly [string, (log: Log) => void][] = [
  ['secret by key', (log) => log.info({ secret: SECRET }, 'x')],
  ['token deep inside', (log) => log.info({ config: { api: [{ token: SECRET }] } }, 'x')],
  ['header map', (log) => log.info({ headers: { Authorization: SECRET } }, 'x')],
  [
    'header list',
    (log) => log.info({ headers: [{ name: 'Proxy-Authorization', value: SECRET }] }, 'x'),
  ],
  [
    'password in other spelling',
    (log) => log.info({ Pass_Word: SECRET, proxy_authorization: SECRET }, 'x'),
  ],
  [
    'whole message as a field',
    (log) => log.info({ text: `INVITE x\r\nAuthorization: ${SECRET}\r\n` }, 'x'),
  ],
  ['whole message as the message', (log) => log.info(`INVITE x\r\nAuthorization: ${SECRET}\r\n`)],
  ['interpolated message', (log) => log.info('got %s', `Authorization: ${SECRET}`)],
  ['lone error', (log) => log.error(new Error(`Authorization: ${SECRET}`))],
  [
    'error with a cause',
    (log) => log.error({ err: new Error('x', { cause: new Error(`Authorization: ${SECRET}`) }) }),
  ],
  [
    'error with details',
    (log) => log.error({ err: Object.assign(new Error('x'), { token: SECRET }) }),
  ],
  ['secrets as a list', (log) => log.info({ provider: { secrets: [SECRET, SECRET] } }, 'x')],
  ['hash in place of a password', (log) => log.info({ users: { a: { ha1: SECRET } } }, 'x')],
  ['password in a URL', (log) => log.info({ url: `postgres://sbc:${SECRET}@db/x` }, 'x')],
  ['URL in an error', (log) => log.error(new Error(`no https://a:${SECRET}@b.example/`))],
  ['child binding', (log) => log.child({ token: SECRET }).info('x')],
  ['bytes', (log) => log.info({ body: Buffer.from(SECRET) }, 'x')],
  [
    'object that turns itself into JSON',
    (log) => log.info({ a: { toJSON: () => ({ secret: SECRET }) } }, 'x'),
  ],
  ['digit', (log) => log.info({ dtmf: { digit: DIGITS } }, 'x')],
  ['digits as a list', (log) => log.info({ digits: [DIGITS] }, 'x')],
  ['KPML body', (log) => log.info({ body: `<kpml-response digits="${DIGITS}"/>` }, 'x')],
  ['relay body in an error', (log) => log.error(new Error(`Signal=${DIGITS}`))],
];

describe('nothing secret reaches the stream', () => {
  test.each(CARELESS)('%s', (_name, write) => {
    const { log, memory } = memoryLog();
    write(log);
    expect(memory.lines).toHaveLength(1);
    expect(memory.text).not.toContain(SECRET);
    expect(memory.text).not.toContain(DIGITS);
    expect(memory.text).not.toContain(JSON.stringify([...Buffer.from(SECRET)]));
  });

  test('a single digit is a star', () => {
    const { log, memory } = memoryLog();
    log.info({ dtmf: { digit: '5' } }, 'pressed');
    expect(memory.lines).toMatchObject([{ dtmf: { digit: '*' } }]);
  });

  test('digits are readable when allowed, credentials are not', () => {
    const { log, memory } = memoryLog({ showDigits: true });
    log.info({ digits: DIGITS, secret: SECRET }, 'x');
    expect(memory.lines).toMatchObject([{ digits: DIGITS, secret: '[redacted]' }]);
  });
});

describe('lines', () => {
  test('carry level, time, fields and message', () => {
    const { log, memory } = memoryLog();
    const start = new Date(0);
    log.warn(
      { count: 3, digits: 4, list: [1, null, undefined], start, empty: { secret: '' } },
      'counted',
    );
    expect(memory.lines).toMatchObject([
      {
        level: 40,
        time: expect.any(Number),
        count: 3,
        digits: 4,
        list: [1, null, null],
        start: start.toISOString(),
        empty: { secret: '' },
        msg: 'counted',
      },
    ]);
  });

  test('of a call carry its ids', () => {
    const { log, memory } = memoryLog();
    callLog(log, { callId: 'c1', legA: 'a@x', agent: 'carrier', realm: 'core' }).info('started');
    expect(memory.lines).toMatchObject([
      { callId: 'c1', legA: 'a@x', agent: 'carrier', realm: 'core', msg: 'started' },
    ]);
  });

  test('show type, message, stack and details of an error', () => {
    const { log, memory } = memoryLog();
    log.error({ err: Object.assign(new TypeError('broken'), { code: 'E1' }) }, 'failed');
    expect(memory.lines).toMatchObject([
      {
        err: {
          type: 'TypeError',
          message: 'broken',
          stack: expect.stringContaining('log.test.ts'),
          code: 'E1',
        },
        msg: 'failed',
      },
    ]);
  });

  test('of a lone error take its message', () => {
    const { log, memory } = memoryLog();
    log.error(new Error('broken'));
    expect(memory.lines).toMatchObject([{ err: { message: 'broken' }, msg: 'broken' }]);
  });

  test('below the level are left out', () => {
    const { log, memory } = memoryLog();
    log.debug('x');
    expect(memory.text).toBe('');
  });

  test('stay finite for a graph that contains itself', () => {
    const { log, memory } = memoryLog();
    const node: Record<string, unknown> = { many: Array.from({ length: 1_000 }, () => 'x') };
    node['self'] = node;
    log.info({ node }, 'x');
    expect(memory.text.length).toBeLessThan(10_000);
  });
});
