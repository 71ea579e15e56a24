/** Feature keys as tables for people. */
import type { z } from 'zod';
import type { FeatureSubscriptionView } from '../api/feature-backend.ts';
import type { accountSchema, historyRowSchema, outcomeSchema } from '../api/feature-schemas.ts';
import { FEATURES } from '../wire/feature-event.ts';
import { formatTable } from './table.ts';

export type AccountView = z.infer<typeof accountSchema>;
export type HistoryView = z.infer<typeof historyRowSchema>;
export type OutcomeView = z.infer<typeof outcomeSchema>;

interface Value {
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: number;
}

const STATE_HEADINGS = ['FEATURE', 'STATE', 'FORWARD TO', 'RINGS', 'VERSION', 'CHANGED', 'BY'];

/** The features of one account; the locked ones and those it does not have are marked. */
export function formatAccount({ account, features, subscribers }: AccountView): string {
  const rows = FEATURES.map((feature) => {
    const { status, assigned, locked, lastChange, ...state } = features[feature];
    const marks = [...(assigned ? [] : ['not assigned']), ...(locked ? ['locked'] : [])];
    return [
      feature,
      [status ? 'on' : 'off', ...marks].join(', '),
      state.forwardTo ?? '-',
      state.ringCount === undefined ? '-' : String(state.ringCount),
      String(state.version),
      state.updatedAt ?? '-',
      lastChange === undefined ? '-' : `${lastChange.actor} (${lastChange.source})`,
    ];
  });
  const phones = `${subscribers} ${subscribers === 1 ? 'phone' : 'phones'} subscribed`;
  return `${account}: ${phones}\n\n${formatTable(STATE_HEADINGS, rows)}`;
}

export function formatHistory(rows: readonly HistoryView[]): string {
  const cells = rows.map((row) => [
    row.at,
    row.feature,
    row.reason === undefined ? row.outcome : `${row.outcome} (${row.reason})`,
    formatValue(row.old),
    formatNew(row),
    row.source,
    row.actor,
    String(row.dialogs),
  ]);
  const headings = ['TIME', 'FEATURE', 'OUTCOME', 'OLD', 'NEW', 'SOURCE', 'ACTOR', 'PHONES'];
  return formatTable(headings, cells) || 'no changes\n';
}

export function formatOutcome(feature: string, done: OutcomeView): string {
  const { outcome, version, notified, delivered } = done;
  const told = delivered === undefined ? '' : `, ${delivered} answered`;
  const phones = `${notified} ${notified === 1 ? 'phone' : 'phones'} told${told}`;
  return `${feature}: ${outcome}, ${formatValue(done.new)} (version ${version}, ${phones})\n`;
}

export function formatPhones(phones: readonly FeatureSubscriptionView[]): string {
  const rows = phones.map(({ lastNotify, ...phone }) => [
    phone.account,
    phone.userAgent || '-',
    phone.remote,
    phone.transport,
    `${phone.expiresInSeconds}s`,
    lastNotify === undefined ? '-' : `${lastNotify.at} ${lastNotify.status ?? 'waiting'}`,
    phone.due.join(', ') || '-',
  ]);
  const headings = ['ACCOUNT', 'PHONE', 'ADDRESS', 'TRANSPORT', 'EXPIRES', 'LAST NOTIFY', 'DUE'];
  return formatTable(headings, rows);
}

/** What it became, or what was asked in vain. */
function formatNew({ outcome, new: value }: HistoryView): string {
  if (outcome === 'applied' || value === undefined) return formatValue(value);
  return `-> ${formatValue(value)} (${outcome})`;
}

/** `on, 2828, 4 rings`. */
function formatValue(value: Value | undefined): string {
  if (value === undefined) return '-';
  const { status, forwardTo, ringCount } = value;
  const target = forwardTo === undefined ? [] : [forwardTo];
  const rings = ringCount === undefined ? [] : [`${ringCount} rings`];
  return [status ? 'on' : 'off', ...target, ...rings].join(', ');
}
