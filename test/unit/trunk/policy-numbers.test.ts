/** What becomes of called and calling numbers between the sender and the hops. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IDLE_TRUNK, route } from '../../../src/trunk/policy.ts';
import { callingAt, traceRoute } from '../../../src/trunk/route-trace.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { load, type Question, requestOf, tried } from './policy-fixtures.ts';

describe('numbers on their way', () => {
  const config = load(`
    { to: "+49", next-hop: one }
    { to: "+1", next-hop: both, translate: prefix }
    { to: "+39", next-hop: request-uri, to-realm: core }
    { to: "0", next-hop: two }
    { to: "8", from: "+4930", next-hop: three }
  `);

  test.each<[called: string, calling: string, question: Question, uris: string, callings: string]>([
    ['0301', '0302', {}, 'sip:0301@127.0.0.1:6081', '0302'],
    ['00491', '+491', {}, 'sip:01@127.0.0.1:6081', '01'],
    ['0301;npdi;rn=+4977', '', {}, 'sip:0301;npdi;rn=+4977@127.0.0.1:6081', ''],
    [
      '0011;rn=+199',
      '0302',
      {},
      'sip:77+11;rn=+199@127.0.0.1:6081 sip:77+11;rn=+199@127.0.0.1:6082',
      '0302 +49302',
    ],
    ['0301', '0302', { agent: 'raw' }, 'sip:0301@127.0.0.1:6082', '0302'],
    ['8', '0302', {}, 'sip:8@127.0.0.1:6083', '4930100'],
  ])('%s from %s %j: %s, shown %s', (called, callingNumber, ...[question, uris, callings]) => {
    const result = route(config, requestOf(config, called, { callingNumber, ...question }));
    const hops = result.type === 'route' ? result.hops : [];
    expect(hops.map(({ requestUri }) => requestUri).join(' ')).toBe(uris);
    expect(hops.map((hop) => callingAt(hop, callingNumber)).join(' ')).toBe(callings);
  });

  test('a request URI keeps all but its user', () => {
    const requestUri = 'sip:00391@192.0.2.1:5070;ob;x=y';
    const request = requestOf(config, '00391', { requestUri });
    expect(tried(config, request)).toBe('sip:+391@192.0.2.1:5070;ob;x=y');
    const same = 'sip:+391;npdi@192.0.2.1:5070;OB';
    expect(tried(config, requestOf(config, '+391;npdi', { requestUri: same }))).toBe(same);
  });

  test('a tel URI becomes a number with user=phone', () => {
    const requestUri = 'tel:+49301;npdi';
    const result = route(config, requestOf(config, '+49301;npdi', { requestUri }));
    expect(result.type === 'route' && result.hops[0]?.requestUri).toBe(
      'sip:0301;npdi@127.0.0.1:6081;user=phone',
    );
  });
});

test('whatever is called and whoever calls: hops have URIs that can be read', () => {
  const config = load(`
    { to: "*", next-hop: both, translate: prefix }
    { to: "*", cost: 1, next-hop: request-uri, to-realm: core }
  `);
  const user = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.string({
      unit: fc.constantFrom('0', '+', ';', '%', '#', '@', '=', '\r\n', '%23'),
      maxLength: 40,
    }),
  );
  fc.assert(
    fc.property(user, user, (called, callingNumber) => {
      const request = requestOf(config, called, { callingNumber, requestUri: 'sip:a@192.0.2.1' });
      const result = route(config, request);
      const hops = result.type === 'route' ? result.hops : [];
      expect(hops).toHaveLength(3);
      for (const hop of hops) expect(() => parseSipUri(hop.requestUri)).not.toThrow();
      expect(traceRoute(config, request, IDLE_TRUNK).result).toEqual(result);
    }),
  );
});
