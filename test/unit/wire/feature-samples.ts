/** Bodies as phones send them, and what they mean. */

import type { FeatureProblem, FeatureSet } from '../../../src/wire/feature-event.ts';

const NS = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const MISSPELT = 'xmlns="http://www.ecmainternational.org/standards/ecma-323/csta/ed3"';
export const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';

/** A request that sets do-not-disturb. */
export function dnd(content: string, attributes = NS): string {
  return `<SetDoNotDisturb ${attributes}>${content}</SetDoNotDisturb>`;
}

function forwarding(content: string): string {
  return `<SetForwarding ${NS}>${content}</SetForwarding>`;
}

/** A request that sets a forwarding. */
export function forward(type: string, on: string, more = ''): string {
  return forwarding(
    `<device></device><forwardingType>${type}</forwardingType><activateForward>${on}</activateForward>${more}`,
  );
}

export const DND_ON: FeatureSet = { feature: 'DoNotDisturb', status: true };
const DND_OFF: FeatureSet = { feature: 'DoNotDisturb', status: false };

/** [what a phone sends, what it means] */
export const VECTORS: readonly [name: string, body: string, expected: FeatureSet][] = [
  [
    'Polycom layout',
    dnd(' <device>7659366</device> <doNotDisturbOn>true</doNotDisturbOn>\n'),
    { ...DND_ON, device: '7659366' },
  ],
  ['empty device', dnd('<device></device><doNotDisturbOn>false</doNotDisturbOn>'), DND_OFF],
  [
    'BroadSoft order of a forwarding',
    forwarding(
      '<device>7659366</device><activateForward>true</activateForward><forwardingType>forwardImmediate</forwardingType><forwardDN>2424</forwardDN><ringCount></ringCount>',
    ),
    { feature: 'CallForwardingAlways', status: true, forwardTo: '2424', device: '7659366' },
  ],
  [
    'off with an empty number',
    forward('forwardImmediate', 'false', '<forwardDN></forwardDN>'),
    { feature: 'CallForwardingAlways', status: false },
  ],
  [
    'off without a number',
    forward('forwardImmediate', 'false'),
    { feature: 'CallForwardingAlways', status: false },
  ],
  [
    'on with a lone blank as number',
    forward('forwardImmediate', 'true', '<forwardDN> </forwardDN>'),
    { feature: 'CallForwardingAlways', status: true },
  ],
  [
    'busy to an E.164 number',
    forward('forwardBusy', 'true', '<forwardDN>+15551230111</forwardDN>'),
    { feature: 'CallForwardingBusy', status: true, forwardTo: '+15551230111' },
  ],
  [
    'busy with rings, which are none of its business',
    forward('forwardBusy', 'true', '<forwardDN>2424</forwardDN><ringCount>5</ringCount>'),
    { feature: 'CallForwardingBusy', status: true, forwardTo: '2424' },
  ],
  [
    'no answer to a URI after 5 rings',
    forward(
      'forwardNoAns',
      'true',
      '<forwardDN>sip:voicemail@pbx.example</forwardDN><ringCount>5</ringCount>',
    ),
    {
      feature: 'CallForwardingNoAnswer',
      status: true,
      forwardTo: 'sip:voicemail@pbx.example',
      ringCount: '5',
    },
  ],
  [
    'no answer, rings alone',
    forward('forwardNoAns', 'true', '<ringCount>8</ringCount>'),
    { feature: 'CallForwardingNoAnswer', status: true, ringCount: '8' },
  ],
  [
    'no answer off',
    forward('forwardNoAns', 'false'),
    { feature: 'CallForwardingNoAnswer', status: false },
  ],
  [
    'ring count that is no number, judged later',
    forward('forwardNoAns', 'true', '<ringCount> many </ringCount>'),
    { feature: 'CallForwardingNoAnswer', status: true, ringCount: 'many' },
  ],
  [
    'another order of elements',
    forwarding(
      '<ringCount>6</ringCount><forwardDN>2929</forwardDN><activateForward>true</activateForward><forwardingType>forwardNoAns</forwardingType>',
    ),
    { feature: 'CallForwardingNoAnswer', status: true, forwardTo: '2929', ringCount: '6' },
  ],
  [
    'prefixed namespace',
    '<csta:SetDoNotDisturb xmlns:csta="http://www.ecma-international.org/standards/ecma-323/csta/ed3"><csta:device>x</csta:device><csta:doNotDisturbOn>true</csta:doNotDisturbOn></csta:SetDoNotDisturb>',
    { ...DND_ON, device: 'x' },
  ],
  ['misspelt namespace', dnd('<doNotDisturbOn>true</doNotDisturbOn>', MISSPELT), DND_ON],
  [
    'another edition of the namespace',
    dnd('<doNotDisturbOn>true</doNotDisturbOn>', NS.replace('ed3', 'ed4')),
    DND_ON,
  ],
  ['no namespace', dnd('<doNotDisturbOn>false</doNotDisturbOn>', ''), DND_OFF],
  [
    'white space of every kind around the value',
    dnd('<device/><doNotDisturbOn>\n \t true\r\n  </doNotDisturbOn>'),
    DND_ON,
  ],
  ['1', dnd('<doNotDisturbOn>1</doNotDisturbOn>'), DND_ON],
  ['0', dnd('<doNotDisturbOn>0</doNotDisturbOn>'), DND_OFF],
  ['TRUE', dnd('<doNotDisturbOn>TRUE</doNotDisturbOn>'), DND_ON],
  [' False ', dnd('<doNotDisturbOn> False </doNotDisturbOn>'), DND_OFF],
  [
    'value in a CDATA section, beside comments and instructions',
    dnd('<!-- x --><?y z?><doNotDisturbOn><![CDATA[true]]></doNotDisturbOn>'),
    DND_ON,
  ],
  [
    'unknown elements and attributes',
    dnd('<extensions><a><b>x</b></a></extensions><doNotDisturbOn a="b">true</doNotDisturbOn>'),
    DND_ON,
  ],
  [
    'entities',
    forwarding(
      '<device>A&amp;B</device><forwardingType>forwardImmediate</forwardingType><activateForward>true</activateForward><forwardDN>sip:a&amp;b&lt;c@x.invalid;p=&quot;1&quot;</forwardDN>',
    ),
    {
      feature: 'CallForwardingAlways',
      status: true,
      forwardTo: 'sip:a&b<c@x.invalid;p="1"',
      device: 'A&B',
    },
  ],
  [
    'character references',
    forward('forwardBusy', 'true', '<forwardDN>M&#252;ller &#x1F600;</forwardDN>'),
    { feature: 'CallForwardingBusy', status: true, forwardTo: 'Müller 😀' },
  ],
  [
    'a number of 256 characters',
    forward('forwardBusy', 'true', `<forwardDN>${'9'.repeat(256)}</forwardDN>`),
    { feature: 'CallForwardingBusy', status: true, forwardTo: '9'.repeat(256) },
  ],
];

/** [what a phone sends, why it is refused with 400] */
export const REFUSED: readonly [name: string, body: string | Buffer, code: FeatureProblem][] = [
  ['status that is neither', dnd('<doNotDisturbOn>maybe</doNotDisturbOn>'), 'bad-value'],
  ['empty status', dnd('<doNotDisturbOn></doNotDisturbOn>'), 'bad-value'],
  ['no status', dnd('<device>1</device>'), 'missing-element'],
  [
    'no status of a forwarding',
    forwarding('<forwardingType>forwardBusy</forwardingType>'),
    'missing-element',
  ],
  [
    'status under the name of the event',
    forwarding('<forwardingType>forwardBusy</forwardingType><forwardStatus>true</forwardStatus>'),
    'missing-element',
  ],
  ['two statuses', dnd('<doNotDisturbOn>1</doNotDisturbOn>'.repeat(2)), 'bad-value'],
  ['two devices', dnd('<device/><device/><doNotDisturbOn>1</doNotDisturbOn>'), 'bad-value'],
  ['element inside a value', dnd('<doNotDisturbOn>t<b/>rue</doNotDisturbOn>'), 'bad-value'],
  ['unclosed element', '<SetDoNotDisturb><doNotDisturbOn>true</SetDoNotDisturb>', 'malformed'],
  ['nothing but white space', ' \r\n ', 'malformed'],
  ['text', 'do not disturb', 'malformed'],
  ['XML 1.1', `<?xml version="1.1"?>${dnd('<doNotDisturbOn>1</doNotDisturbOn>')}`, 'malformed'],
  ['NUL', dnd('<doNotDisturbOn>true\0</doNotDisturbOn>'), 'malformed'],
  [
    'unknown document',
    `<SetCallWaiting ${NS}><device/><callWaitingOn>true</callWaitingOn></SetCallWaiting>`,
    'unknown-document',
  ],
  [
    'agent state',
    `<SetAgentState ${NS}><device></device><requestedAgentState>notReady</requestedAgentState><extensions><privateData><private xmlns:pri="http://schema.broadsoft.com/CSTAPrivateData"><pri:AgentNotReadyReasonValue>100</pri:AgentNotReadyReasonValue></private></privateData></extensions><agentID></agentID><password></password></SetAgentState>`,
    'unknown-document',
  ],
  ['document of a server', `<DoNotDisturbEvent ${NS}/>`, 'unknown-document'],
  [
    'root in other letter case',
    `<setdonotdisturb ${NS}><doNotDisturbOn>1</doNotDisturbOn></setdonotdisturb>`,
    'unknown-document',
  ],
  ['a forwarding of CSTA', forward('forwardNoAnsExt', 'true'), 'unknown-type'],
  ['forwarding in other letter case', forward('ForwardBusy', 'true'), 'unknown-type'],
  ['empty forwarding type', forward('', 'true'), 'unknown-type'],
  [
    'no forwarding type',
    forwarding('<activateForward>true</activateForward><forwardDN>2424</forwardDN>'),
    'missing-element',
  ],
  [
    'number of 257 characters',
    forward('forwardBusy', 'true', `<forwardDN>${'9'.repeat(257)}</forwardDN>`),
    'bad-value',
  ],
  [
    'line break in a number',
    forward('forwardBusy', 'true', '<forwardDN>24&#10;24</forwardDN>'),
    'bad-value',
  ],
  [
    'document type',
    '<?xml version="1.0"?><!DOCTYPE SetDoNotDisturb [<!ENTITY on "true">]><SetDoNotDisturb><doNotDisturbOn>&on;</doNotDisturbOn></SetDoNotDisturb>',
    'doctype',
  ],
  [
    'document type with a long subset',
    `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(5000)}">]>${dnd('<doNotDisturbOn>1</doNotDisturbOn>')}`,
    'doctype',
  ],
  [
    'white space before the declaration',
    ` \n<?xml version="1.0"?>${dnd('<doNotDisturbOn>1</doNotDisturbOn>')}`,
    'malformed',
  ],
  ['document type without entities', `<!DOCTYPE x>${dnd('')}`, 'doctype'],
  ['undefined entity', dnd('<doNotDisturbOn>&on;</doNotDisturbOn>'), 'malformed'],
  [
    'foreign namespace',
    '<SetHoteling xmlns="http://schema.broadsoft.com/hoteling"><guestAddress>2050</guestAddress></SetHoteling>',
    'namespace',
  ],
  [
    'namespace of the same begin',
    dnd('<doNotDisturbOn>1</doNotDisturbOn>', NS.replace('ed3', '../x y')),
    'namespace',
  ],
  ['another encoding', `<?xml version="1.0" encoding="UTF-16"?>${dnd('')}`, 'encoding'],
  ['bytes that are no UTF-8', Buffer.from(dnd('<device>\u00FC</device>'), 'latin1'), 'encoding'],
  [
    'a character that was lost on the way',
    forward('forwardBusy', 'true', '<forwardDN>M\uFFFDller</forwardDN>'),
    'encoding',
  ],
  ['9 levels', dnd('<a>'.repeat(8) + '</a>'.repeat(8)), 'limits'],
  ['100 levels', dnd('<a>'.repeat(99) + '</a>'.repeat(99)), 'limits'],
  ['65 elements', dnd('<a/>'.repeat(64)), 'limits'],
  ['more than 4 kB in a value', dnd(`<device>${'x'.repeat(4100)}</device>`), 'limits'],
  ['more than 4 kB in a tag', dnd('', `a="${'x'.repeat(4100)}"`), 'limits'],
  ['17 attributes', dnd('', manyAttributes(17)), 'limits'],
];

export function manyAttributes(count: number): string {
  return Array.from({ length: count }, (_, index) => `a${index}="1"`).join(' ');
}
