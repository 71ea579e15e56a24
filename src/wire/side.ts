/** The two parties of a call: `caller` sent the INVITE, `callee` is its next hop. */
export type Side = 'caller' | 'callee';

/** Both sides, the caller first. */
export const SIDES: readonly Side[] = ['caller', 'callee'];

/** What `side` has of something that both have; by name, since this is asked for each packet. */
export function ofSide<T>(both: Readonly<Record<Side, T>>, side: Side): T {
  return side === 'caller' ? both.caller : both.callee;
}

/** The party at the other end of the call. */
export function otherSide(side: Side): Side {
  return side === 'caller' ? 'callee' : 'caller';
}
