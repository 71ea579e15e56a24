/**
 * What becomes of each header on its way from one leg to the other. Headers that are not listed vanish: a name that
 * nobody here knows may hold an address of the other side. README.md shows this table to operators.
 */

/**
 * The kinds of messages that cross.
 *
 *   invite    the INVITE that begins the call      refusal   300 to 699, to any request
 *   progress  101 to 199                           inform    INFO, MESSAGE
 *   answer    2xx to any request                   end       BYE, CANCEL
 *   offer     re-INVITE, UPDATE, PRACK
 */
export type MessageKind = 'invite' | 'offer' | 'progress' | 'answer' | 'refusal' | 'inform' | 'end';

export const MESSAGE_KINDS: readonly MessageKind[] = [
  'invite',
  'offer',
  'progress',
  'answer',
  'refusal',
  'inform',
  'end',
];

/**
 *   passes     unless its value names a host, Call-ID or tag of the leg it comes from
 *   trusted    the same, between two trusted sides only
 *   rewritten  with our names in place of the other leg's; identity-policy.ts and header-crossing.ts say how
 *   ours       written by us for the leg it goes to
 *   vanishes   never crosses, unless a `pass` rule names it
 */
export type Treatment = 'passes' | 'trusted' | 'rewritten' | 'ours' | 'vanishes';

export interface HeaderRow {
  readonly header: string;
  readonly treatment: Treatment;
  /** Absent: in messages of every kind. */
  readonly kinds?: readonly MessageKind[];
  /** Several fields are one list; of other headers the first field counts. */
  readonly isList?: true;
}

const REQUESTS_WITH_BODY: readonly MessageKind[] = ['inform', 'answer', 'refusal'];
const WITH_IDENTITY: readonly MessageKind[] = [
  'invite',
  'offer',
  'progress',
  'answer',
  'refusal',
  'inform',
];

function rows(
  treatment: Treatment,
  headers: readonly string[],
  rest: Pick<HeaderRow, 'kinds' | 'isList'> = {},
): HeaderRow[] {
  return headers.map((header) => ({ header, treatment, ...rest }));
}

export const HEADER_TABLE: readonly HeaderRow[] = [
  ...rows('passes', ['Subject', 'Priority', 'Retry-After', 'Session-ID']),
  ...rows('passes', ['Reason', 'User-to-User', 'Accept-Language'], { isList: true }),
  ...rows('passes', ['Alert-Info'], { kinds: ['invite', 'progress'], isList: true }),
  ...rows('passes', ['Accept', 'Accept-Encoding'], { kinds: REQUESTS_WITH_BODY, isList: true }),
  ...rows('trusted', ['Resource-Priority', 'P-Early-Media'], { isList: true }),
  ...rows('trusted', ['Identity'], { kinds: ['invite', 'offer'], isList: true }),
  ...rows('trusted', ['Date'], { kinds: ['invite', 'offer'] }),
  ...rows('rewritten', ['P-Asserted-Identity', 'Privacy'], { kinds: WITH_IDENTITY, isList: true }),
  ...rows('rewritten', ['Diversion', 'History-Info'], {
    kinds: ['invite', 'progress', 'answer', 'refusal'],
    isList: true,
  }),
  ...rows('rewritten', ['Referred-By'], { kinds: ['invite', 'offer'] }),
  ...rows('rewritten', ['Warning'], { kinds: ['refusal'], isList: true }),
  ...rows('rewritten', ['From', 'To', 'Max-Forwards', 'Allow-Events']),
  ...rows('ours', ['Via', 'Route', 'Record-Route', 'Contact', 'Call-ID', 'CSeq', 'Allow']),
  ...rows('ours', ['Supported', 'Require', 'RSeq', 'RAck', 'User-Agent', 'Server', 'Event']),
  ...rows('ours', ['Session-Expires', 'Min-SE']),
  ...rows('ours', ['Content-Type', 'Content-Length', 'Content-Disposition', 'Content-Language']),
  ...rows('vanishes', ['P-Preferred-Identity', 'Remote-Party-ID'], { isList: true }),
  ...rows('vanishes', ['Organization', 'Reply-To']),
  ...rows('vanishes', ['Call-Info', 'Error-Info', 'Geolocation', 'In-Reply-To'], { isList: true }),
  ...rows('vanishes', ['Replaces', 'Join', 'Target-Dialog', 'Refer-To']),
  ...rows('vanishes', ['Proxy-Require'], { isList: true }),
  ...rows('vanishes', ['P-Charging-Vector', 'P-Charging-Function-Addresses']),
  ...rows('vanishes', ['Path', 'P-Access-Network-Info', 'P-Visited-Network-ID'], { isList: true }),
  ...rows('vanishes', ['P-Called-Party-ID']),
  ...rows('vanishes', ['Authorization', 'Proxy-Authorization', 'WWW-Authenticate']),
  ...rows('vanishes', ['Proxy-Authenticate', 'Timestamp', 'Expires']),
  ...rows('vanishes', ['Accept-Contact', 'Reject-Contact', 'Request-Disposition'], {
    isList: true,
  }),
];
