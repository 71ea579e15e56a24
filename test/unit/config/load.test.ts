import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOf, edited, load, problemLines, SAMPLE } from './sample.ts';

describe('a valid file', () => {
  test('fills in every default and keeps what was written', () => {
    const config = configOf(SAMPLE);
    expect(config.sip).toMatchObject({
      engine: 'embedded',
      drachtio: undefined,
      udpSizeLimitBytes: 1300,
      reconnectHoldMs: 30_000,
    });
    expect(config.media).toEqual({
      engine: 'relay',
      io: 'auto',
      workers: 'auto',
      inactivityTimeoutMs: 60_000,
      holdTimeoutMs: 3_600_000,
      portQuarantineMs: 30_000,
      rtpengine: [],
    });
    expect(config.realms[1]?.media.portMin).toBe(21_000);
    expect(config.sipInterfaces[1]?.admit).toBe('agents');
    expect(config.sipInterfaces[1]?.sipPorts[1]).toEqual({
      transport: 'tcp',
      address: '127.0.0.1',
      port: 6062,
    });
    expect(config.sessionAgents[0]).toMatchObject({
      host: '127.0.0.1',
      port: 6080,
      transport: 'udp',
      isTransportFixed: false,
    });
    expect(config.featureKeys.enabled).toBe(false);
    expect(config.api).toEqual({ address: '127.0.0.1', port: 8080, token: '' });
    expect(config.dtmf.maskDigits).toBe(true);
  });

  test.each(['udp', 'tcp'])('knows that the file itself says transport: %s', (transport) => {
    const port = 'address: 127.0.0.1:6080';
    const config = configOf(edited([port, `${port}, transport: ${transport}`]));
    expect(config.sessionAgents[0]).toMatchObject({ transport, isTransportFixed: true });
  });

  test('is named by the SHA-256 of its text', () => {
    const hash = createHash('sha256').update(SAMPLE).digest('hex');
    expect(configOf(SAMPLE).hash).toBe(hash);
  });

  test('is frozen all the way down', () => {
    const config = configOf(SAMPLE);
    expect(Object.isFrozen(config.sipInterfaces[0]?.sipPorts[0])).toBe(true);
    expect(Object.isFrozen(config.featureKeys.userAgents)).toBe(true);
  });

  test.each(['+49', '0049', '11e2', '0x1F', '007'])('keeps the prefix %s as written', (prefix) => {
    const config = configOf(
      edited(['to: "*", next-hop: carrier', `to: ${prefix}, next-hop: carrier`]),
    );
    expect(config.localPolicies[0]?.to).toBe(prefix);
  });

  test('takes a key with nothing behind it as not written', () => {
    expect(configOf(`${SAMPLE}session-groups:\nlog:\n  level:\n`).log.level).toBe('info');
  });

  test.each([
    ['inherit', 'none', '0'],
    ['inherited', 'inherit', 'inherited'],
  ])('reads %s, %s and %s on an agent as not set', (kpml, mode, payload) => {
    const text = edited([
      'address: 127.0.0.1:6080',
      `address: 127.0.0.1:6080, kpml-interworking: ${kpml}, rfc2833-mode: ${mode}, rfc2833-payload: ${payload}`,
    ]);
    const leg = configOf(text).sessionAgents[0]?.leg;
    expect(leg).toMatchObject({
      kpmlInterworking: undefined,
      rfc2833Mode: undefined,
      rfc2833Payload: undefined,
    });
  });
});

describe('all problems at once', () => {
  test('schema, references, secrets and duplicates are reported together, by line', () => {
    const text = edited(
      ['admit: anyone', 'admit: nobody, admitt: x'],
      ['next-hop: carrier', 'next-hop: nobody'],
      ['realms:', 'api: { token: "${NO_SUCH}" }\nrealms:'],
      ['udp/127.0.0.1:6062, tcp', 'udp/127.0.0.1:6060, tcp'],
    );
    expect(problemLines(text)).toEqual([
      '1:15: api.token: environment variable NO_SUCH is not set or empty',
      '6:78: sip-interfaces[0].admit: "nobody" is not one of agents, anyone',
      '6:86: sip-interfaces[0].admitt: unknown key "admitt" (did you mean "admit"?)',
      '7:45: sip-interfaces[1].sip-ports[0]: udp/127.0.0.1:6060 overlaps with udp/127.0.0.1:6060',
      '11:46: local-policies[0].next-hop: next hop "nobody" is neither a session agent nor a session group (known: carrier, request-uri, reject)',
    ]);
  });
});

describe('whatever is in the file', () => {
  test('any text is judged without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(load(text).type).toBe('invalid');
      }),
    );
  });

  test('any mutation of a valid file is judged without throwing', () => {
    const position = fc.nat({ max: SAMPLE.length });
    fc.assert(
      fc.property(position, position, fc.string({ maxLength: 3 }), (start, length, insert) => {
        const text = SAMPLE.slice(0, start) + insert + SAMPLE.slice(start + (length % 5));
        expect(['config', 'invalid']).toContain(load(text).type);
      }),
      { numRuns: 150 },
    );
  });
});
