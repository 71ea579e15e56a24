/** Looks what this machine allows of the faster ways to move packets. */
import type { Realm } from './config/config.ts';
import { openFfiIo } from './media/ffi/ffi-io.ts';
import { type IoProbes, kernelAddressProblem } from './media/io-choice.ts';
import { probeKernelPath } from './media/kernel/kernel-path.ts';

/** For the media addresses of these realms. */
export function machineIo(realms: readonly Realm[]): IoProbes {
  const addresses = realms.map(({ media }) => media.address);
  return {
    ffiProblem,
    kernelProblem: async () =>
      kernelAddressProblem(addresses) ?? (await probeKernelPath(addresses)),
  };
}

/** Does once what a relay thread will do. */
export function ffiProblem(): string | undefined {
  const io = openFfiIo();
  if ('type' in io) return io.reason;
  io.close();
  return undefined;
}
