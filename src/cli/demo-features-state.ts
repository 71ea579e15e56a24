/** What phones and API say of the features of an account, made comparable. */
import { FEATURES, type Feature, type FeatureReport } from '../wire/feature-event.ts';

/** What one party shows; a feature that the account does not have is missing. */
export type ShownState = ReadonlyMap<Feature, FeatureReport>;

const SHORT_NAMES: Readonly<Record<Feature, string>> = {
  DoNotDisturb: 'DND',
  CallForwardingAlways: 'CFA',
  CallForwardingBusy: 'CFB',
  CallForwardingNoAnswer: 'CFNA',
};

/** What the server says where no ring count is stored. */
const DEFAULT_RINGS = 5;

export function reportText({ feature, status, forwardTo, ringCount }: FeatureReport): string {
  const target = forwardTo === undefined ? '' : ` to ${forwardTo}`;
  const rings = ringCount === undefined ? '' : `, ${ringCount} rings`;
  return `${SHORT_NAMES[feature]} ${status ? 'on' : 'off'}${target}${rings}`;
}

/** The features in their order; equal for equal states and different for different ones. */
export function stateText(state: ShownState): string {
  return FEATURES.map((feature) => {
    const report = state.get(feature);
    return report === undefined ? `${SHORT_NAMES[feature]} -` : reportText(report);
  }).join(' | ');
}

/** @throws Error when the answer does not have the shape of the API. */
export function readApiState(body: unknown): ShownState {
  const features = member(body, 'features');
  const state = new Map<Feature, FeatureReport>();
  for (const feature of FEATURES) {
    const value = member(features, feature);
    if (member(value, 'assigned') === false) continue;
    const status = member(value, 'status');
    const forwardTo = member(value, 'forwardTo');
    const ringCount = member(value, 'ringCount');
    if (typeof status !== 'boolean') throw new Error(`no ${feature} in the answer of the API`);
    state.set(feature, {
      feature,
      status,
      ...(typeof forwardTo === 'string' ? { forwardTo } : {}),
      ...(feature === 'CallForwardingNoAnswer'
        ? { ringCount: typeof ringCount === 'number' ? ringCount : DEFAULT_RINGS }
        : {}),
    });
  }
  return state;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
