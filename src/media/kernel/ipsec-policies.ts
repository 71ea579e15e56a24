/** Whether packets of this machine go through IPsec: what is forwarded between devices never comes there (xfrm). */

import { askIp } from './ip-command.ts';

/** Policies of single sockets are those of the daemon that negotiates keys. */
const LIST = 'xfrm policy list nosock\n';

/** Without `ip`, or where the kernel has no IPsec, there are none. */
export async function hasIpsecPolicies(): Promise<boolean> {
  return (await askIp(LIST)).trim() !== '';
}
