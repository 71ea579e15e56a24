import { expect, test } from 'vitest';
import {
  chooseIo,
  ioName,
  type IoProbes,
  kernelAddressProblem,
  kernelTimeoutProblem,
} from '../../../src/media/io-choice.ts';

type Machine = 'all' | 'no ffi' | 'no kernel' | 'neither';

function probes(machine: Machine, asked: string[] = []): IoProbes {
  return {
    ffiProblem: () => {
      asked.push('ffi');
      return machine === 'no ffi' || machine === 'neither' ? 'old Node' : undefined;
    },
    kernelProblem: async () => {
      asked.push('kernel');
      return machine === 'no kernel' || machine === 'neither' ? 'no right' : undefined;
    },
  };
}

test.each<[Parameters<typeof chooseIo>[0], Machine, string, string[]]>([
  ['auto', 'all', 'ffi+kernel', []],
  ['auto', 'no ffi', 'dgram+kernel', ['ffi: old Node']],
  ['auto', 'no kernel', 'ffi', ['kernel: no right']],
  ['auto', 'neither', 'dgram', ['kernel: no right', 'ffi: old Node']],
  ['kernel', 'all', 'ffi+kernel', []],
  ['kernel', 'no ffi', 'dgram+kernel', []],
  ['kernel', 'no kernel', 'ffi', ['kernel: no right']],
  ['kernel', 'neither', 'dgram', ['kernel: no right', 'ffi: old Node']],
  ['ffi', 'all', 'ffi', []],
  ['ffi', 'neither', 'dgram', ['ffi: old Node']],
  ['dgram', 'all', 'dgram', []],
])('%s on a machine with %s is %s', async (wanted, machine, name, shortfalls) => {
  const choice = await chooseIo(wanted, probes(machine));
  expect(ioName(choice)).toBe(name);
  expect(choice.shortfalls).toEqual(shortfalls);
});

test.each([
  ['cache initialization failed: Operation not permitted', ' (needs CAP_NET_ADMIN)'],
  ['RTNETLINK answers: Operation not permitted', ' (needs CAP_NET_ADMIN)'],
  ['spawn nft ENOENT', ''],
])('what the kernel refuses names the right that is missing: %s', async (problem, hint) => {
  const machine = { ...probes('all'), kernelProblem: async () => problem };
  const { shortfalls } = await chooseIo('auto', machine);
  expect(shortfalls).toEqual([`kernel: ${problem}${hint}`]);
});

test.each<[Parameters<typeof chooseIo>[0], string[]]>([
  ['dgram', []],
  ['ffi', ['ffi']],
])('for %s only what matters is looked at', async (wanted, expected) => {
  const asked: string[] = [];
  await chooseIo(wanted, probes('all', asked));
  expect(asked).toEqual(expected);
});

test.each<[string[], boolean]>([
  [['127.0.0.1', '::1'], false],
  [['127.0.0.1', '192.0.2.1'], true],
  [['2001:db8::1'], false],
  [['2001:db8::1', '192.0.2.1'], true],
])('the kernel may see packets at %j: %s', (addresses, expected) => {
  expect(kernelAddressProblem(addresses) === undefined).toBe(expected);
});

test.each<[number, string | undefined]>([
  [4999, 'inactivity-timeout is below 5s'],
  [5000, undefined],
])('with an inactivity-timeout of %i ms the kernel is out of use: %s', (timeoutMs, expected) => {
  expect(kernelTimeoutProblem(timeoutMs)).toBe(expected);
});
