/**
 * realm-config and steering-pool -> `realms`.
 *
 * A realm of ours has one media address with one range of ports. A realm without steering-pool gets a free range on the
 * address of its sip-interface; one that no sip-interface serves counts to its parent.
 */
import { isIP } from 'node:net';
import { isWildcard } from '../address.ts';
import { NameMap, NameSpace } from './acme-names.ts';
import { PortClaims } from './acme-ports.ts';
import type { ElementReader } from './acme-reader.ts';
import type { AcmeSource } from './acme-source.ts';
import type { YamlItem } from './acme-yaml.ts';

const LOWEST_PORT = 1024;
const HIGHEST_PORT = 65_535;
/** Parents of parents are followed no further: a ring would have no end. */
const MAX_ANCESTORS = 16;

export interface RealmPlan {
  /** Name there. */
  readonly identifier: string;
  readonly name: string;
  /** Absent where a realm is named but not configured. */
  readonly reader: ElementReader | undefined;
  readonly media: { readonly address: string; readonly low: number; readonly high: number };
  /** Comments above the realm. */
  readonly comments: readonly string[];
}

export class Realms {
  readonly claims = new PortClaims();
  readonly #names = new NameSpace();
  readonly #configs = new NameMap<ElementReader>();
  readonly #pools = new Map<string, ElementReader[]>();
  readonly #plans = new NameMap<RealmPlan>();
  readonly #list: RealmPlan[] = [];
  readonly #source: AcmeSource;

  constructor(source: AcmeSource) {
    this.#source = source;
    for (const reader of source.all('realm-config'))
      this.#configs.add(reader.text('identifier'), reader);
    for (const pool of source.all('steering-pool')) {
      const realm = pool.text('realm-id').toLowerCase();
      const known = this.#pools.get(realm);
      if (known === undefined) this.#pools.set(realm, [pool]);
      else known.push(pool);
    }
  }

  config(identifier: string): ElementReader | undefined {
    return this.#configs.get(identifier);
  }

  /** The realm for an interface at `sipAddress`; `undefined` where there is no port left for its media. */
  open(identifier: string, sipAddress: string): RealmPlan | undefined {
    const known = this.#plans.get(identifier);
    if (known !== undefined) return known;
    const found = this.#mediaOf(identifier, sipAddress);
    if (found === undefined) return undefined;
    const reader = this.#configs.get(identifier);
    const name = this.#names.take(identifier);
    const described = reader?.text('description') ?? '';
    const comments = [
      reader === undefined
        ? `realm ${identifier}: named, but not configured there`
        : `line ${reader.line}: ${reader.where}`,
      ...(described === '' ? [] : [described]),
      found.comment,
    ];
    const plan: RealmPlan = { identifier, name, reader, media: found.media, comments };
    this.#plans.add(identifier, plan);
    this.#list.push(plan);
    return plan;
  }

  /** The realm that serves `identifier`: itself, or the next ancestor that has an interface. */
  serving(identifier: string): RealmPlan | undefined {
    let name = identifier;
    for (let step = 0; step < MAX_ANCESTORS && name !== ''; step += 1) {
      const plan = this.#plans.get(name);
      if (plan !== undefined) return plan;
      name = this.#configs.get(name)?.text('parent-realm') ?? '';
    }
    return undefined;
  }

  all(): readonly RealmPlan[] {
    return this.#list;
  }

  items(): readonly YamlItem[] {
    return this.#list.map(({ name, media, comments }) => ({
      comments,
      entries: [
        { key: 'name', value: name },
        {
          key: 'media',
          value: [
            { key: 'address', value: media.address },
            { key: 'port-min', value: media.low },
            { key: 'port-max', value: media.high },
          ],
        },
      ],
    }));
  }

  /** Verdicts on what no interface asked for. */
  finish(): void {
    for (const reader of this.#source.all('realm-config')) this.#finishConfig(reader);
    for (const pool of this.#source.all('steering-pool')) {
      if (pool.isFinished) continue;
      pool.loseWhole(
        'no realm with a sip-interface takes its media ports from it',
        'give the address to a realm',
      );
    }
  }

  #finishConfig(reader: ElementReader): void {
    const identifier = reader.text('identifier');
    const plan = this.#plans.get(identifier);
    for (const name of ['identifier', 'parent-realm']) reader.carry(name);
    reader.ignore(
      'network-interfaces',
      'addresses of this machine are set in its operating system',
    );
    if (plan?.reader === reader) {
      reader.carry('description', 'as a comment');
      reader.finish();
      return;
    }
    const home = plan === undefined ? this.serving(identifier) : undefined;
    if (home === undefined) {
      const twice =
        plan === undefined
          ? 'no sip-interface serves it'
          : 'a realm of that name stands further up';
      reader.loseWhole(twice, 'nothing, or add a sip-interface');
      return;
    }
    reader.finish({
      fate: 'changed',
      reason: `has no sip-interface and is part of realm ${home.name}`,
    });
  }

  #mediaOf(
    identifier: string,
    sipAddress: string,
  ): { media: RealmPlan['media']; comment: string } | undefined {
    const pools = (this.#pools.get(identifier.toLowerCase()) ?? []).filter((pool) =>
      isUsable(pool),
    );
    const widest = pools.toSorted((a, b) => widthOf(b) - widthOf(a));
    let chosen: RealmPlan['media'] | undefined;
    let comment = '';
    for (const pool of widest) {
      const media = rangeOf(pool);
      if (chosen !== undefined) {
        pool.loseWhole(
          'a realm has one range of media ports, here the widest',
          'widen port-min to port-max, or make a second realm',
        );
      } else if (this.claims.claim(`udp ${media.address}`, media.low, media.high)) {
        chosen = media;
        comment = `media: line ${pool.line}: steering-pool`;
        finishPool(pool, media.low);
      } else pool.loseWhole('its ports are taken by another part', 'choose other ports');
    }
    if (chosen !== undefined) return { media: chosen, comment };
    const block = this.claims.claimBlock(`udp ${sipAddress}`);
    if (block === undefined) return undefined;
    return {
      media: { address: sipAddress, ...block },
      comment: 'media: no steering-pool: a free range, please check',
    };
  }
}

function isUsable(pool: ElementReader): boolean {
  const { address, low, high } = rangeOf(pool);
  if (
    isIP(address) !== 0 &&
    !isWildcard(address) &&
    low + (low % 2) + 1 <= high &&
    high <= HIGHEST_PORT
  )
    return true;
  pool.loseWhole('it has no address, or no pair of ports', 'give the realm `media` by hand');
  return false;
}

function rangeOf(pool: ElementReader): RealmPlan['media'] {
  return {
    address: pool.text('ip-address'),
    low: Math.max(LOWEST_PORT, pool.number('start-port') ?? HIGHEST_PORT),
    high: pool.number('end-port') ?? 0,
  };
}

function widthOf(pool: ElementReader): number {
  const { low, high } = rangeOf(pool);
  return high - low;
}

function finishPool(pool: ElementReader, low: number): void {
  for (const name of ['ip-address', 'end-port', 'realm-id']) pool.carry(name);
  pool.carry(
    'start-port',
    pool.number('start-port') === low ? undefined : `ports begin at ${LOWEST_PORT}`,
  );
  pool.ignore('network-interface', 'addresses of this machine are set in its operating system');
  pool.finish();
}
