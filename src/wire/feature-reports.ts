/** The body of a NOTIFY as phones read it, whoever the server is. */

import { isMediaType } from './event-headers.ts';
import { FEATURE_TYPE } from './feature-body.ts';
import {
  childrenNamed,
  EVENT_FORMS,
  FORWARDING_TYPE,
  FORWARDING_TYPES,
  isFeatureNamespace,
  readStatus,
  RING_COUNT,
  valueOf,
} from './feature-documents.ts';
import type { Feature, FeatureReport } from './feature-event.ts';
import { readMultipart } from './multipart.ts';
import { attempt } from './wire-error.ts';
import { parseXml } from './xml.ts';
import type { XmlElement } from './xml-tree.ts';

const MULTIPART = /^\s*multipart\//i;
const DOCUMENT_TYPES = [FEATURE_TYPE, 'application/xml', 'text/xml'];

/** In the order of the body; documents that are not understood are skipped. Never throws. */
export function readFeatureReports(contentType: string, body: Buffer): readonly FeatureReport[] {
  return documentsOf(contentType, body)
    .map(readReport)
    .filter((report) => report !== undefined);
}

function documentsOf(contentType: string, body: Buffer): readonly Buffer[] {
  if (!MULTIPART.test(contentType)) return isDocument(contentType) ? [body] : [];
  const parts = attempt(
    () => readMultipart(contentType, body),
    () => [],
  );
  return parts
    .filter((part) => isDocument(part.headers.get('content-type')))
    .map((part) => part.body);
}

function isDocument(contentType: string | undefined): boolean {
  return DOCUMENT_TYPES.some((type) => isMediaType(contentType, type));
}

function readReport(bytes: Buffer): FeatureReport | undefined {
  const result = parseXml(bytes, { isNamespaceAllowed: isFeatureNamespace });
  if (result.type !== 'document') return undefined;
  const { root } = result;
  const form = EVENT_FORMS.find((candidate) => candidate.root === root.name);
  const status = readStatus(textOf(root, form?.status));
  if (form === undefined || status === undefined) return undefined;
  const feature: Feature | undefined =
    form.feature === 'DoNotDisturb'
      ? 'DoNotDisturb'
      : FORWARDING_TYPES.get(textOf(root, FORWARDING_TYPE));
  if (feature === undefined) return undefined;
  const forwardTo = textOf(root, form.target);
  const rings = feature === 'CallForwardingNoAnswer' ? textOf(root, RING_COUNT) : '';
  return {
    feature,
    status,
    ...(forwardTo === '' ? {} : { forwardTo }),
    ...(/^\d{1,9}$/.test(rings) ? { ringCount: Number(rings) } : {}),
  };
}

/** Empty where there is no such element. */
function textOf(root: XmlElement, name: string | undefined): string {
  const [element] = name === undefined ? [] : childrenNamed(root, name);
  return element === undefined ? '' : (valueOf(element) ?? '');
}
