/** An account as it stands in messages. */

const UNSAFE = /[^A-Za-z0-9\-_.!~*'()&=+$,/]/gu;

/** `sip:user@domain` with escapes where the user part needs some; an account has none. */
export function accountUri(account: string): string {
  const at = account.lastIndexOf('@');
  const user = account
    .slice('sip:'.length, at)
    .replaceAll(UNSAFE, (character) =>
      character.isWellFormed() ? encodeURIComponent(character) : '',
    );
  return `sip:${user}${account.slice(at)}`;
}
