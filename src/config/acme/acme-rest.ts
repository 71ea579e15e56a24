/** Elements that have no section here, and what to do about them. */
import { entryOf } from './acme-value.ts';
import type { AcmeSource } from './acme-source.ts';
import type { ElementReader } from './acme-reader.ts';

interface Remark {
  readonly reason: string;
  readonly advice: string;
}

const REMARKS: Readonly<Record<string, Remark>> = {
  'account-config': {
    reason: 'accounting goes to a file of JSON lines',
    advice: 'see `cdr` and docs/cdr.md',
  },
  authentication: { reason: 'users of the box have no counterpart', advice: 'set `api.token`' },
  bootparam: { reason: 'belongs to the box', advice: 'nothing' },
  'capture-receiver': {
    reason: 'packets are not mirrored',
    advice: 'use tcpdump, or the ladder of a call',
  },
  'certificate-record': {
    reason: 'keys and certificates are files',
    advice: 'put PEM files where `tls` of the interface says',
  },
  'codec-policy': {
    reason: 'codecs are not transcoded or reordered',
    advice: 'let the ends agree on a codec',
  },
  'dns-config': {
    reason: 'names are resolved by the operating system',
    advice: 'set its name servers',
  },
  'enum-config': { reason: 'there is no ENUM', advice: 'write the numbers as local-policies' },
  'host-route': {
    reason: 'routes of packets are of the operating system',
    advice: 'add them with ip route',
  },
  'http-server': { reason: 'the API has its own address', advice: 'see `api.listen`' },
  'local-routing-config': {
    reason: 'routes stand in this file alone',
    advice: 'write the numbers as local-policies',
  },
  'media-policy': {
    reason: 'marking of packets is of the operating system',
    advice: 'set DSCP by nftables or tc',
  },
  'media-profile': { reason: 'codecs pass as the ends negotiate them', advice: 'nothing' },
  'network-interface': {
    reason: 'addresses are of the operating system',
    advice: 'give this machine the address',
  },
  'network-parameters': { reason: 'belongs to the operating system', advice: 'nothing' },
  'ntp-config': { reason: 'the clock is of the operating system', advice: 'run a time service' },
  'ntp-sync': { reason: 'the clock is of the operating system', advice: 'run a time service' },
  'phy-interface': { reason: 'ports of the box', advice: 'set up the network of this machine' },
  'q850-sip-map': { reason: 'causes follow RFC 3398', advice: 'nothing' },
  'redundancy-config': {
    reason: 'there is no pair with shared state',
    advice: 'run two and have the peers try both',
  },
  'security-config': { reason: 'belongs to the box', advice: 'nothing' },
  'sip-feature': { reason: 'option tags pass or are refused as RFC 3261 says', advice: 'nothing' },
  'sip-response-map': {
    reason: 'answers are passed on as they are',
    advice: 'change them at the peer',
  },
  'snmp-community': { reason: 'there is no SNMP', advice: 'scrape /metrics' },
  'snmp-user-entry': { reason: 'there is no SNMP', advice: 'scrape /metrics' },
  'spl-config': { reason: 'plug-ins of the box do not run here', advice: 'see header-rules' },
  'ssh-config': { reason: 'belongs to the box', advice: 'nothing' },
  'surrogate-agent': {
    reason: 'the SBC does not register for others',
    advice: 'have the PBX register, by `methods: { register: AGENT }`',
  },
  'system-access-list': { reason: 'belongs to the box', advice: 'set a firewall' },
  'system-config': { reason: 'belongs to the box', advice: 'nothing' },
  'tls-global': { reason: 'belongs to the box', advice: 'nothing' },
  'tls-profile': {
    reason: 'keys and certificates are files',
    advice: 'see `tls` of the interface: verify, client-certificates',
  },
  'trap-receiver': { reason: 'there is no SNMP', advice: 'have Prometheus raise alarms' },
  'web-server-config': { reason: 'the API has its own address', advice: 'see `api.listen`' },
};
const OTHER: Remark = { reason: 'has no counterpart', advice: 'see whether it is needed' };

/** Verdicts on all elements that have none yet. */
export function finishOthers(source: AcmeSource): void {
  for (const name of source.names()) {
    const { reason, advice } = entryOf(REMARKS, name) ?? OTHER;
    for (const reader of source.all(name)) {
      if (reader.isFinished) continue;
      if (reader.isEmpty) reader.finish({ fate: 'ignored', reason: 'nothing stands below it' });
      else reader.loseWhole(reason, adviceFor(reader, advice));
    }
  }
}

/** With the values that the advice is about. */
function adviceFor(reader: ElementReader, advice: string): string {
  const { name } = reader.element;
  if (name === 'network-interface' && reader.text('ip-address') !== '') {
    return `${advice}: ${reader.text('ip-address')} ${reader.text('netmask')}`.trim().slice(0, 200);
  }
  if (name === 'host-route' && reader.text('dest-network') !== '') {
    const {
      [0]: network,
      [1]: mask,
      [2]: gateway,
    } = ['dest-network', 'netmask', 'gateway'].map((key) => reader.text(key));
    return `ip route add ${network ?? ''}/${prefixLength(mask ?? '')} via ${gateway ?? ''}`.slice(
      0,
      200,
    );
  }
  return advice;
}

/** 255.255.255.0 as 24; a mask that is none as it is. */
function prefixLength(mask: string): string {
  const bytes = mask.split('.').map(Number);
  const bits = bytes.map((byte) => (byte & 255).toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) && bits.length === 32 ? String(bits.lastIndexOf('1') + 1) : mask;
}
