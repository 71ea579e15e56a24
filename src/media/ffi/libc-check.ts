/** Calls what a packet will be carried by, where nothing can come of it, and looks whether it does what it should. */

import { AF_INET, CLOEXEC, type Libc, SOCK_DGRAM, SOCK_NONBLOCK } from './libc.ts';
import type { PacketMemory } from './packet-memory.ts';

const VALUE = 0x1234n;
const VALUE_BYTES = 8n;

/**
 * What does not work, in a few words; a sandbox may refuse single calls.
 *
 * @param counter an event counter that nothing was written to.
 */
export function checkLibc(libc: Libc, memory: PacketMemory, counter: number): string | undefined {
  return checkBytes(libc, memory, counter) ?? checkMessages(libc, memory);
}

/** A counter gives back what was added to it. */
function checkBytes(libc: Libc, { scratch }: PacketMemory, counter: number): string | undefined {
  const { view, address } = scratch;
  view.setBigUint64(0, VALUE, true);
  const written = libc.write(counter, address, VALUE_BYTES);
  if (written < 0) return `write: ${libc.errorCode()}`;
  view.setBigUint64(0, 0n, true);
  const read = libc.read(counter, address, VALUE_BYTES);
  if (read < 0) return `read: ${libc.errorCode()}`;
  return view.getBigUint64(0, true) === VALUE ? undefined : 'read: other bytes than written';
}

/** A socket without address and peer has nothing to receive and nowhere to send to. */
function checkMessages(libc: Libc, memory: PacketMemory): string | undefined {
  const descriptor = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | CLOEXEC, 0);
  if (descriptor < 0) return `socket: ${libc.errorCode()}`;
  const { incoming, outgoing, sending } = memory;
  const received = libc.recvmsg(descriptor, incoming.address, 0);
  const isEmpty = received < 0 && libc.isWouldBlock();
  const receiveCode = libc.errorCode();
  outgoing.place(sending, 1);
  outgoing.nameLength = 0;
  const sent = libc.sendmsg(descriptor, outgoing.address, 0);
  const sendCode = libc.errorCode();
  libc.close(descriptor);
  if (!isEmpty) return `recvmsg: ${receiveCode}`;
  return sent < 0 && sendCode === 'EDESTADDRREQ' ? undefined : `sendmsg: ${sendCode}`;
}
