/** Rules about networks in CIDR notation. */
import { isIPv6 } from 'node:net';
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

const KEYS = ['allow', 'deny'] as const;

/** The network that `text` stands for, where it is written with bits beyond its prefix; else `undefined`. */
export function widerThanWritten(text: string): string | undefined {
  const [address = '', prefix] = text.split('/');
  if (prefix === undefined) return undefined;
  const isV6 = isIPv6(address);
  const value = isV6 ? valueOfV6(address) : valueOfV4(address);
  const hostBits = BigInt((isV6 ? 128 : 32) - Number(prefix));
  const start = (value >> hostBits) << hostBits;
  if (start === value) return undefined;
  return `${isV6 ? formatV6(start) : formatV4(start)}/${prefix}`;
}

function valueOfV4(address: string): bigint {
  return joined(address.split('.').map(Number), 8n);
}

/** Also with an IPv4 address at its end. */
function valueOfV6(address: string): bigint {
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.replace(/[^:]+\.[^:]+$/, groupsOfV4).split('::');
  const before = groupsIn(head);
  const after = groupsIn(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return joined([...before, ...zeros, ...after], 16n);
}

function groupsOfV4(address: string): string {
  const value = Number(valueOfV4(address));
  return `${Math.floor(value / 0x1_00_00).toString(16)}:${(value % 0x1_00_00).toString(16)}`;
}

function groupsIn(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function joined(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
}

function formatV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
}

function formatV6(value: bigint): string {
  const groups = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) =>
    ((value >> shift) & 0xff_ffn).toString(16),
  );
  // The host bits of a network are zeros, so the run at the end is the one to shorten.
  return groups.join(':').replace(/(?::0)+$/, '::');
}

function hostBitsSet(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) =>
    KEYS.flatMap((key) =>
      sipInterface[key].flatMap((text, place): RuleFinding[] => {
        const wider = widerThanWritten(text);
        if (wider === undefined) return [];
        const message = `${text} stands for all of ${wider}`;
        return [{ path: ['sip-interfaces', index, key, place], message }];
      }),
    ),
  );
}

export const NETWORK_RULES: readonly LintRule[] = [
  {
    code: 'network-host-bits',
    severity: 'warning',
    explanation:
      'Bits behind the prefix length are not looked at. Write the network as it is, or one address without a length.',
    find: hostBitsSet,
  },
];
