import { describe, expect, test } from 'vitest';
import { decideAccess } from '../../../src/api/access.ts';
import type { AccessRequest } from '../../../src/api/access.ts';

const TOKEN = 's3cret';
const LOCAL = '127.0.0.1';
const REMOTE = '192.0.2.1';

function decide(token: string, changes: Partial<AccessRequest>): number {
  const access = decideAccess(token, {
    isWrite: false,
    remoteAddress: LOCAL,
    authorization: undefined,
    host: 'localhost:8080',
    origin: undefined,
    ...changes,
  });
  return access.type === 'allowed' ? 200 : access.status;
}

type Row = [
  from: string,
  token: string,
  authorization: string | undefined,
  read: number,
  write: number,
];

const ROWS: readonly Row[] = [
  [LOCAL, '', undefined, 200, 200],
  [LOCAL, '', 'Bearer anything', 200, 200],
  [LOCAL, TOKEN, undefined, 200, 401],
  [LOCAL, TOKEN, `Bearer ${TOKEN}`, 200, 200],
  [LOCAL, TOKEN, 'Bearer wrong', 401, 401],
  [REMOTE, '', undefined, 403, 403],
  [REMOTE, '', 'Bearer ', 403, 403],
  [REMOTE, TOKEN, undefined, 401, 401],
  [REMOTE, TOKEN, `Bearer ${TOKEN}`, 200, 200],
  [REMOTE, TOKEN, `bearer  ${TOKEN}`, 200, 200],
  [REMOTE, TOKEN, `Bearer ${TOKEN}x`, 401, 401],
  [REMOTE, TOKEN, `Bearer ${TOKEN.slice(1)}`, 401, 401],
  [REMOTE, TOKEN, `Basic ${TOKEN}`, 401, 401],
  [REMOTE, TOKEN, '', 401, 401],
];

test.each(ROWS)('from %s with token %j and Authorization %j: read %i, write %i', (...row) => {
  const [remoteAddress, token, authorization, read, write] = row;
  expect(decide(token, { remoteAddress, authorization })).toBe(read);
  expect(decide(token, { remoteAddress, authorization, isWrite: true })).toBe(write);
});

test.each([
  ['127.0.0.1', 200],
  ['127.255.0.9', 200],
  ['::1', 200],
  ['::ffff:127.0.0.1', 200],
  ['::ffff:192.0.2.1', 403],
  ['128.0.0.1', 403],
  ['::2', 403],
  ['', 403],
])('the source %j gets %i', (remoteAddress, status) => {
  expect(decide('', { remoteAddress })).toBe(status);
});

describe('pages of a browser on this machine', () => {
  test.each<[host: string | undefined, origin: string | undefined, status: number]>([
    ['localhost:8080', undefined, 200],
    ['127.0.0.1:8080', undefined, 200],
    ['[::1]:8080', undefined, 200],
    ['sbc.localhost', undefined, 200],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', 200],
    ['127.0.0.1:8080', 'http://127.0.0.1:3000', 403],
    ['127.0.0.1:8080', 'https://evil.example', 403],
    ['127.0.0.1:8080', 'null', 403],
    ['evil.example:8080', undefined, 403],
    ['127.0.0.1.evil.example', undefined, 403],
    ['evil.example', 'http://evil.example', 403],
    ['a b', undefined, 403],
    [undefined, undefined, 403],
  ])('Host %j with Origin %j: %i', (host, origin, status) => {
    expect(decide('', { host, origin })).toBe(status);
    expect(decide('', { host, origin, isWrite: true })).toBe(status);
    expect(decide(TOKEN, { host, origin, authorization: `Bearer ${TOKEN}` })).toBe(200);
  });
});
