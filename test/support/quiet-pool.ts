/** A relay pool whose threads have their own sockets, from its start to its end: prints only what is asked of it. */
import { RelayPool } from '../../src/media/relay-pool.ts';
import { freePortRange } from './free-ports.ts';

const pool = new RelayPool({
  io: 'ffi',
  workers: 2,
  onIoFallback: (reason) => console.log(`fell back: ${reason}`),
});
const ignore = (): void => undefined;
const listener = {
  digitPressed: ignore,
  digitReleased: ignore,
  digitSent: ignore,
  digitDropped: ignore,
  inactive: ignore,
  lost: ignore,
};
const { first, last } = await freePortRange(4);
const leg = { realm: 'core', address: '127.0.0.1', portMin: first, portMax: last };
const opened = await pool.openStream({ streamId: 'a', caller: leg, callee: leg, listener });
console.log(opened.type === 'failure' ? opened.reason : opened.type);
if (opened.type === 'stream') await opened.close();
await pool.close();
