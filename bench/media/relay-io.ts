/** Options of a relay pool for each way to move packets. */

import { KernelPath } from '../../src/media/kernel/kernel-path.ts';
import type { RelayPoolOptions } from '../../src/media/relay-pool.ts';

/** Says through `unavailable` what this machine does not have. `address` is that of the media. */
export async function relayPoolOptions(
  io: string,
  address: string,
  unavailable: (reason: string) => never,
): Promise<RelayPoolOptions> {
  if (io === 'dgram' || io === 'ffi') return { io };
  if (io !== 'kernel') return unavailable(`no io ${io}`);
  const kernel = await KernelPath.open({
    addresses: [address],
    reach: 'every',
    onTrouble: (trouble) => {
      console.error(trouble);
    },
  });
  if (kernel.type === 'unavailable') return unavailable(kernel.reason);
  // What the kernel leaves to the thread goes by the best sockets that there are, as in the SBC.
  return { io: 'ffi', kernel, onIoFallback: undefined };
}
