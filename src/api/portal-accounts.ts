/** Whom the portal knows: users of `feature-keys.users` with their accounts, by name and password. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FeatureKeysConfig, FeatureUser } from '../config/feature-keys-config.ts';
import type { Presentity } from '../feature-keys/feature-state.ts';
import { readAccount } from './feature-account.ts';

type Domains = FeatureKeysConfig['domains'];

export interface PortalUser {
  /** Key of the user in the configuration. */
  readonly name: string;
  /** Changes when the credentials do. */
  readonly fingerprint: string;
}

const SHA256_DIGITS = 64;

/** Stands in for a name that nobody has, so that it takes as long to refuse as a wrong password. */
const NOBODY: FeatureUser = { password: undefined, ha1: undefined, accounts: [] };

/** The account that `text` names; `undefined` for what names no account of ours. */
export function accountOf(text: string, domains: Domains): Presentity | undefined {
  const name = readAccount(text, domains);
  return name.type === 'account' ? name.presentity : undefined;
}

/** The accounts of a user: those listed, else the one of the same name; a bare one in every domain. */
export function accountsOf(name: string, config: FeatureKeysConfig): readonly Presentity[] {
  const user = userNamed(name, config);
  if (user === undefined) return [];
  const listed = user.accounts.length === 0 ? [name] : user.accounts;
  const found = listed.flatMap((text) =>
    text.includes('@')
      ? [accountOf(text, config.domains)]
      : Object.keys(config.domains).map((domain) => accountOf(`${text}@${domain}`, config.domains)),
  );
  return [...new Set(found.filter((account) => account !== undefined))];
}

/** Accounts that users of the configuration have, in its order. */
export function knownAccounts(config: FeatureKeysConfig): readonly Presentity[] {
  return [...new Set(Object.keys(config.users).flatMap((name) => accountsOf(name, config)))];
}

/**
 * The key of the configuration that a login means, however it is spelled; for one that nobody has, what it would be.
 */
export function userNameOf(login: string, config: FeatureKeysConfig): string {
  const address = login.trim().replace(/^sips?:/i, '');
  // Users may stand in the configuration with their domain.
  return userNamed(address, config) === undefined ? address.replace(/@.*$/s, '') : address;
}

/**
 * Checks name and password; the name may carry one of our domains.
 *
 * @returns `undefined` when they do not fit, in the same time whatever the reason is.
 */
export function verifyUser(
  login: string,
  password: string,
  config: FeatureKeysConfig,
): PortalUser | undefined {
  const address = login.trim().replace(/^sips?:/i, '');
  const name = userNameOf(login, config);
  const user = userNamed(name, config);
  const isRight = isPasswordOf({ name, user: user ?? NOBODY }, password, config);
  const isOurs = !address.includes('@') || accountOf(address, config.domains) !== undefined;
  return isRight && isOurs && user !== undefined
    ? { name, fingerprint: fingerprintOf(user) }
    : undefined;
}

/** Whether the user still is who signed in. */
export function isStillValid(user: PortalUser, config: FeatureKeysConfig): boolean {
  const current = userNamed(user.name, config);
  return current !== undefined && fingerprintOf(current) === user.fingerprint;
}

function userNamed(name: string, { users }: FeatureKeysConfig): FeatureUser | undefined {
  return Object.hasOwn(users, name) ? users[name] : undefined;
}

function isPasswordOf(
  { name, user }: { readonly name: string; readonly user: FeatureUser },
  password: string,
  config: FeatureKeysConfig,
): boolean {
  const realms = config.realm === undefined ? Object.keys(config.domains) : [config.realm];
  const expected = user.ha1?.toLowerCase();
  const checks = [
    isSameText(password, user.password ?? '') && (user.password ?? '') !== '',
    ...realms.map((realm) => {
      // The length of a ha1 tells the algorithm that it was made with.
      const algorithm = expected?.length === SHA256_DIGITS ? 'sha256' : 'md5';
      const sent = createHash(algorithm).update(`${name}:${realm}:${password}`).digest('hex');
      return isSameText(sent, expected ?? '');
    }),
  ];
  return checks.includes(true);
}

/** Takes the same time wherever the two differ, and whatever their lengths are. */
export function isSameText(first: string, second: string): boolean {
  return timingSafeEqual(hash(first), hash(second));
}

function fingerprintOf({ password, ha1 }: FeatureUser): string {
  return hash(JSON.stringify([password ?? null, ha1 ?? null])).toString('hex');
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
