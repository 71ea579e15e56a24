/** The body of a NOTIFY: one document plain, several as multipart/mixed. */

import { CSTA_NAMESPACE, FORWARDING_TYPES } from './feature-documents.ts';
import type { FeatureBody, FeatureReport } from './feature-event.ts';
import { escapeXml } from './xml.ts';

export const FEATURE_TYPE = 'application/x-as-feature-event+xml';

const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';

export interface FeatureBodyOptions {
  /** What the `device` elements say; not empty. */
  readonly device: string;
  /** Token of which no document may contain a line; used when there are several documents. */
  readonly boundary: string;
  readonly partHeads: 'type' | 'type-length';
}

/** @returns `undefined` when there is nothing to report: a NOTIFY without body. */
export function formatFeatureBody(
  reports: readonly FeatureReport[],
  options: FeatureBodyOptions,
): FeatureBody | undefined {
  const documents = reports.map((report) => formatReport(report, options.device));
  const [first, second] = documents;
  if (first === undefined) return undefined;
  if (second === undefined) return { contentType: FEATURE_TYPE, body: first };
  const boundary = freeBoundary(options.boundary, documents);
  const parts = documents.map(
    (document) => `--${boundary}\r\n${partHead(document, options.partHeads)}\r\n${document}\r\n`,
  );
  return {
    contentType: `multipart/mixed;boundary=${boundary}`,
    body: `${parts.join('')}--${boundary}--\r\n`,
  };
}

/** Writes one document; all characters are ASCII. */
export function formatReport(report: FeatureReport, device: string): string {
  const fields =
    report.feature === 'DoNotDisturb'
      ? element('doNotDisturbOn', String(report.status))
      : formatForwarding(report);
  const root = report.feature === 'DoNotDisturb' ? 'DoNotDisturbEvent' : 'ForwardingEvent';
  const content = element('device', device) + fields;
  return `${DECLARATION}<${root} xmlns="${CSTA_NAMESPACE}">${content}</${root}>`;
}

function formatForwarding({ feature, status, forwardTo, ringCount }: FeatureReport): string {
  const isNoAnswer = feature === 'CallForwardingNoAnswer';
  const types = [...FORWARDING_TYPES].filter(([, forwarding]) => forwarding === feature);
  return (
    types.map(([type]) => element('forwardingType', type)).join('') +
    element('forwardStatus', String(status)) +
    (forwardTo === undefined ? '' : element('forwardTo', forwardTo)) +
    (isNoAnswer && ringCount !== undefined ? element('ringCount', String(ringCount)) : '')
  );
}

function element(name: string, text: string): string {
  return `<${name}>${ascii(escapeXml(text))}</${name}>`;
}

/** One decimal reference for each character that is not printable ASCII. */
function ascii(text: string): string {
  return text.replaceAll(/[^\u0020-\u007E]/gu, (character) => `&#${character.codePointAt(0)};`);
}

function partHead(document: string, heads: FeatureBodyOptions['partHeads']): string {
  const type = `Content-Type: ${FEATURE_TYPE}\r\n`;
  return heads === 'type' ? type : `${type}Content-Length: ${document.length}\r\n`;
}

/** A boundary must not occur in a part (RFC 2046 §5.1.1). */
function freeBoundary(wanted: string, documents: readonly string[]): string {
  let boundary = wanted;
  while (documents.some((document) => document.includes(boundary))) boundary += '0';
  return boundary;
}
