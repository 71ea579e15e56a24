/**
 * Where an account may forward its calls to: the gate against toll fraud, asked when a forward is set and again when
 * a call comes in.
 */

import { uriScheme } from '../wire/sip-uri.ts';
import type { Presentity } from './feature-state.ts';
import { forwardUri } from './forward-target.ts';
import { accountOf, plainUserOf } from './presentity.ts';
import type { DomainTable } from './presentity.ts';

/** `no-route`: the lists have nothing against it, but no call would get there. */
export type TargetVerdict = 'allowed' | 'target-forbidden' | 'target-self' | 'no-route';

/**
 * Emergency numbers of ITU-T E.161.1 and of larger countries. They are denied even where the lists of the
 * configuration allow them by a wide pattern; an entry of `allow` that is nothing but `^110$` lifts one of them.
 */
// oxfmt-ignore
const EMERGENCY_NUMBERS = ['112', '911', '999', '000', '110', '111', '113', '115', '117', '118', '119'];

/** Emergency services by name (RFC 5031). */
const EMERGENCY_SERVICE = /^urn:service:sos\b/i;

const SEPARATORS = /[\s\-.()/]/g;
const NUMBER = /^\+?[\d*#]+$/;

export interface TargetLists {
  /** Empty: everything that is not denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** How a target can be written; patterns are tried on each. */
interface Spellings {
  /** As typed, without blanks around it. */
  readonly text: string;
  /** The URI that would be called; `undefined`: none, the text cannot be called. */
  readonly uri: string | undefined;
  /** User part or number, without separators. */
  readonly user: string;
  /** The number is one of the account's own dial plan, so it says everything by itself. */
  readonly isOwnDomain: boolean;
}

export class TargetPolicy {
  readonly #allow: readonly RegExp[];
  readonly #deny: readonly RegExp[];
  readonly #emergency: ReadonlySet<string>;
  readonly #domains: DomainTable;
  readonly #isRoutable: (presentity: Presentity, uri: string) => boolean;

  /** @param isRoutable whether the dial plan has a way to this URI. */
  constructor(
    lists: TargetLists,
    domains: DomainTable,
    isRoutable: (presentity: Presentity, uri: string) => boolean = () => true,
  ) {
    this.#allow = lists.allow.map((pattern) => new RegExp(pattern, 'u'));
    this.#deny = lists.deny.map((pattern) => new RegExp(pattern, 'u'));
    this.#emergency = new Set(
      EMERGENCY_NUMBERS.filter((number) => !lists.allow.includes(`^${number}$`)),
    );
    this.#domains = domains;
    this.#isRoutable = isRoutable;
  }

  judge(presentity: Presentity, target: string): TargetVerdict {
    const { user: ownUser, domain } = partsOf(presentity);
    const spellings = this.#spell(target, domain);
    if (spellings.isOwnDomain && spellings.user === ownUser) return 'target-self';
    if (this.#isForbidden(spellings)) return 'target-forbidden';
    const { uri } = spellings;
    return uri === undefined || this.#isRoutable(presentity, uri) ? 'allowed' : 'no-route';
  }

  #isForbidden({ text, uri, user, isOwnDomain }: Spellings): boolean {
    if (EMERGENCY_SERVICE.test(text) || this.#emergency.has(user.replace(/^\+/, ''))) return true;
    const all = uri === undefined ? [text, user] : [text, uri, user];
    if (this.#deny.some((pattern) => all.some((spelling) => pattern.test(spelling)))) return true;
    // The user part of a foreign address must not pass for a number of our own.
    const own = isOwnDomain ? all : all.filter((spelling) => spelling !== user || user === text);
    return (
      this.#allow.length > 0 &&
      !this.#allow.some((pattern) => own.some((spelling) => pattern.test(spelling)))
    );
  }

  #spell(target: string, domain: string): Spellings {
    const text = target.trim();
    const uri = forwardUri(text, domain);
    const account = uri === undefined ? undefined : accountOf(uri, undefined, this.#domains);
    const isNamed = uriScheme(text) !== '' || text.includes('@');
    const ownDomain = account?.type === 'account' ? account.account.domain : undefined;
    return {
      text,
      uri,
      user: withoutSeparators((uri === undefined ? undefined : plainUserOf(uri)) ?? text),
      isOwnDomain: ownDomain === undefined ? !isNamed : ownDomain === domain,
    };
  }
}

/** Number or user as it counts: without what only helps the eye, and without parameters of the user part. */
function withoutSeparators(user: string): string {
  const [bare = ''] = user.split(';', 1);
  const number = bare.replaceAll(SEPARATORS, '');
  return NUMBER.test(number) ? number : bare;
}

function partsOf(presentity: Presentity): { user: string; domain: string } {
  const at = presentity.lastIndexOf('@');
  return { user: presentity.slice('sip:'.length, at), domain: presentity.slice(at + 1) };
}
