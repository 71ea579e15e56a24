/**
 * The documents of the package as one table: root element, feature, and what each field is called.
 *
 *   meaning   SetDoNotDisturb   SetForwarding     DoNotDisturbEvent   ForwardingEvent
 *   status    doNotDisturbOn    activateForward   doNotDisturbOn      forwardStatus
 *   target                      forwardDN                             forwardTo
 *   rings                       ringCount                             ringCount
 *   kind                        forwardingType                        forwardingType
 */

import type { Feature } from './feature-event.ts';
import type { XmlElement } from './xml-tree.ts';

/** The namespace that is written; others are read as well. */
export const CSTA_NAMESPACE = 'http://www.ecma-international.org/standards/ecma-323/csta/ed3';

/** Every edition, and the spelling without hyphen that some servers and phones send; or none at all. */
const CSTA_NAMESPACES =
  /^(?:https?:\/\/www\.ecma-?international\.org\/standards\/ecma-323\/csta(?:\/[\w.-]*)?)?$/;

export function isFeatureNamespace(namespace: string): boolean {
  return CSTA_NAMESPACES.test(namespace);
}

/** How a document is spelled. */
export interface DocumentForm {
  readonly root: string;
  readonly status: string;
  /** A document for one feature, or for the one that its `forwardingType` names. */
  readonly feature: 'DoNotDisturb' | 'forwarding';
  /** Present in documents of forwardings. */
  readonly target?: string;
}

export const DEVICE = 'device';
export const FORWARDING_TYPE = 'forwardingType';
export const RING_COUNT = 'ringCount';

/** What a phone sends. */
export const REQUEST_FORMS: readonly DocumentForm[] = [
  { root: 'SetDoNotDisturb', feature: 'DoNotDisturb', status: 'doNotDisturbOn' },
  {
    root: 'SetForwarding',
    feature: 'forwarding',
    status: 'activateForward',
    target: 'forwardDN',
  },
];

/** What a server sends. */
export const EVENT_FORMS: readonly DocumentForm[] = [
  { root: 'DoNotDisturbEvent', feature: 'DoNotDisturb', status: 'doNotDisturbOn' },
  {
    root: 'ForwardingEvent',
    feature: 'forwarding',
    status: 'forwardStatus',
    target: 'forwardTo',
  },
];

/** The forwardings by the word that names them; the further ones of CSTA are none of the package's. */
export const FORWARDING_TYPES: ReadonlyMap<string, Feature> = new Map([
  ['forwardImmediate', 'CallForwardingAlways'],
  ['forwardBusy', 'CallForwardingBusy'],
  ['forwardNoAns', 'CallForwardingNoAnswer'],
]);

const FORWARD_TARGET = /^[^\p{Cc}\uFFFD]{1,256}$/u;

/** Whether `text` can be a number or URI to forward to: 1 to 256 characters, none of them a control character. */
export function isForwardTarget(text: string): boolean {
  return FORWARD_TARGET.test(text);
}

/** `true`, `false`, `1`, `0` in any letter case; `undefined` for everything else. */
export function readStatus(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

/** The child elements of this local name, whatever their namespace. */
export function childrenNamed(root: XmlElement, name: string): XmlElement[] {
  return root.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && child.name === name,
  );
}

/** The text of an element without the white space around it; `undefined` when it has elements inside. */
export function valueOf(element: XmlElement): string | undefined {
  const texts = element.children.filter((child) => typeof child === 'string');
  return texts.length === element.children.length ? texts.join('').trim() : undefined;
}
