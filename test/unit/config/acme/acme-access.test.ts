import { describe, expect, test } from 'vitest';
import { importAcme } from '../../../../src/config/acme/acme-import.ts';
import { loadConfig } from '../../../../src/config/load.ts';

/** One realm with an interface for each mode, and what access-control says about it. */
function admission(modes: readonly string[], access: readonly string[]) {
  const lines = [
    'realm-config',
    ' identifier access',
    ' addr-prefix 10.0.0.0/24',
    ...modes.flatMap((mode, index) => [
      'sip-interface',
      ' realm-id access',
      ' sip-port',
      '  address 10.0.0.1',
      `  port ${5060 + index}`,
      `  allow-anonymous ${mode}`,
    ]),
    'access-control',
    ' realm-id access',
    ' source-address 192.0.2.0/24',
    ...access.map((text) => ` ${text}`),
  ];
  const { yaml, lines: fates } = importAcme(lines.join('\n'));
  const loaded = loadConfig({ text: yaml, file: 'imported', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return {
    interfaces: loaded.config.sipInterfaces.map(({ admit, allow, deny }) => ({
      admit,
      allow,
      deny,
    })),
    fate: fates.find(({ parameter }) => parameter === 'source-address'),
  };
}

describe('what access-control permits is no more than allow-anonymous lets in', () => {
  test.each<[string, string, string[], string]>([
    ['all', 'anyone', [], 'carried'],
    ['realm-prefix', 'agents', ['10.0.0.0/24'], 'not-carried'],
    ['registered', 'agents', ['192.0.2.0/24'], 'carried'],
    ['agents-only', 'agents', [], 'not-carried'],
  ])('with %s: admit %s, allow %j', (mode, admit, allow, fate) => {
    const found = admission([mode], ['access permit']);
    expect(found.interfaces).toEqual([{ admit, allow, deny: [] }]);
    expect(found.fate?.fate).toBe(fate);
  });

  test.each<[string[]]>([[['registered', 'agents-only']], [['agents-only', 'registered']]])(
    'of interfaces %j in one realm, each has its own',
    (modes) => {
      const { interfaces, fate } = admission(modes, ['access permit']);
      expect(interfaces.map(({ allow }) => allow)).toEqual(
        modes.map((mode) => (mode === 'registered' ? ['192.0.2.0/24'] : [])),
      );
      expect(fate?.fate).toBe('carried');
    },
  );

  test('where it does not say which, it permits', () => {
    expect(admission(['registered'], []).interfaces[0]?.allow).toEqual(['192.0.2.0/24']);
    expect(admission(['agents-only'], []).fate?.reason).toBe(
      'allow-anonymous agents-only admits session agents alone, there and here',
    );
  });

  test('what it denies is refused in any case', () => {
    expect(admission(['agents-only'], ['access deny']).interfaces[0]?.deny).toEqual([
      '192.0.2.0/24',
    ]);
  });
});
