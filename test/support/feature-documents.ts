/** Documents of as-feature-event as a phone writes and reads them: no product code, tolerant to what other servers send. */

export type FeatureName =
  | 'DoNotDisturb'
  | 'CallForwardingAlways'
  | 'CallForwardingBusy'
  | 'CallForwardingNoAnswer';

/** What a NOTIFY said of one feature; texts as they stand in the document, references resolved. */
export interface SeenReport {
  readonly feature: FeatureName;
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: string;
  readonly device?: string;
}

export interface ForwardWish {
  readonly on: boolean;
  /** Absent: no forwardDN element. */
  readonly to?: string;
  /** Absent: no ringCount element. */
  readonly rings?: number | string;
  readonly device?: string;
}

export const FEATURE_TYPE = 'application/x-as-feature-event+xml';
export const CSTA_NAMESPACE = 'http://www.ecma-international.org/standards/ecma-323/csta/ed3';

const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';

const FORWARDING_TYPES: Readonly<Record<string, FeatureName>> = {
  forwardImmediate: 'CallForwardingAlways',
  forwardBusy: 'CallForwardingBusy',
  forwardNoAns: 'CallForwardingNoAnswer',
};

/** The document that switches do-not-disturb; a text stands as it is in place of the boolean. */
export function dndDocument(on: boolean | string, device = '7659366'): string {
  const content = `<device>${device}</device><doNotDisturbOn>${on}</doNotDisturbOn>`;
  return `${DECLARATION}<SetDoNotDisturb xmlns="${CSTA_NAMESPACE}">${content}</SetDoNotDisturb>`;
}

/** The document that sets a forward. */
export function forwardDocument(feature: FeatureName, wish: ForwardWish): string {
  const type = Object.keys(FORWARDING_TYPES).find((name) => FORWARDING_TYPES[name] === feature);
  const content = [
    element('device', wish.device ?? '7659366'),
    element('forwardingType', type),
    element('activateForward', String(wish.on)),
    element('forwardDN', wish.to),
    element('ringCount', wish.rings),
  ].join('');
  return `${DECLARATION}<SetForwarding xmlns="${CSTA_NAMESPACE}">${content}</SetForwarding>`;
}

function element(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `<${name}>${escape(String(value))}</${name}>`;
}

/** Several documents as one body, with its Content-Type. */
export function multipartOf(documents: readonly string[]): { type: string; body: string } {
  const parts = documents.map(
    (document) => `--two\r\nContent-Type: ${FEATURE_TYPE}\r\n\r\n${document}\r\n`,
  );
  return { type: 'multipart/mixed;boundary=two', body: `${parts.join('')}--two--\r\n` };
}

/** Every report of a NOTIFY body, in order; documents with another root are passed over. */
export function reportsIn(contentType: string | undefined, body: string): SeenReport[] {
  if (contentType === undefined || body === '') return [];
  return documentsIn(contentType, body).flatMap(reportOf);
}

/** The documents of a body, without part heads. */
export function documentsIn(contentType: string, body: string): string[] {
  if (!contentType.toLowerCase().startsWith('multipart/')) return [body];
  const boundary = /boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(contentType);
  const delimiter = `--${boundary?.[1] ?? boundary?.[2] ?? ''}`;
  const [, ...parts] = `\n${body}`.split(`\n${delimiter}`);
  return parts
    .filter((part) => !part.startsWith('--'))
    .map((part) => part.replace(/^[^]*?\r?\n\r?\n/, '').replace(/\r?$/, ''));
}

function reportOf(document: string): SeenReport[] {
  const root = /<(?:\w+:)?(DoNotDisturbEvent|ForwardingEvent)\b/.exec(document)?.[1];
  const value = (name: string): string | undefined => {
    const text = new RegExp(`<(?:\\w+:)?${name}>([^<]*)</`).exec(document)?.[1];
    return text === undefined ? undefined : unescape(text);
  };
  const device = value('device');
  const common = device === undefined ? {} : { device };
  if (root === 'DoNotDisturbEvent') {
    return [{ feature: 'DoNotDisturb', status: value('doNotDisturbOn') === 'true', ...common }];
  }
  const feature = FORWARDING_TYPES[value('forwardingType') ?? ''];
  if (root !== 'ForwardingEvent' || feature === undefined) return [];
  const forwardTo = value('forwardTo');
  const ringCount = value('ringCount');
  return [
    {
      feature,
      status: value('forwardStatus') === 'true',
      ...(forwardTo === undefined ? {} : { forwardTo }),
      ...(ringCount === undefined ? {} : { ringCount }),
      ...common,
    },
  ];
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function unescape(text: string): string {
  return text
    .replaceAll(/&#(\d+);/g, (_match, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
