import { expect, test } from 'vitest';
import type { LegSettings } from '../../../src/config/effective.ts';
import { effectiveSettings } from '../../../src/config/effective.ts';
import { configOf, edited } from './sample.ts';

function settingsOf(onInterface: string, onAgent: string | undefined): LegSettings {
  const agent = onAgent === undefined || onAgent === '' ? '' : `, ${onAgent}`;
  const config = configOf(
    edited(
      [
        'tcp/127.0.0.1:6062 ]',
        `tcp/127.0.0.1:6062 ]${onInterface === '' ? '' : `, ${onInterface}`}`,
      ],
      ['address: 127.0.0.1:6080', `address: 127.0.0.1:6080${agent}`],
    ),
  );
  const [, core] = config.sipInterfaces;
  if (core === undefined) throw new Error('the sample has two interfaces');
  return effectiveSettings(core, onAgent === undefined ? undefined : config.sessionAgents[0]);
}

const KPML = 'kpml-interworking';

test.each<[string, string, string | undefined, boolean, string]>([
  ['nothing set', '', '', false, 'default'],
  [
    'agent inherits, interface on',
    `${KPML}: enabled`,
    `${KPML}: inherit`,
    true,
    'sip-interface core',
  ],
  [
    'agent off, interface on',
    `${KPML}: enabled`,
    `${KPML}: disabled`,
    false,
    'session-agent carrier',
  ],
  [
    'agent on, interface off',
    `${KPML}: disabled`,
    `${KPML}: enabled`,
    true,
    'session-agent carrier',
  ],
  ['agent on, interface silent', '', `${KPML}: enabled`, true, 'session-agent carrier'],
  ['no agent, interface on', `${KPML}: enabled`, undefined, true, 'sip-interface core'],
  [
    'no agent, interface says the default',
    `${KPML}: disabled`,
    undefined,
    false,
    'sip-interface core',
  ],
])('kpml-interworking: %s', (_, onInterface, onAgent, ...[value, origin]) => {
  expect(settingsOf(onInterface, onAgent).kpmlInterworking).toEqual({ value, origin });
});

test.each<[string, string, string, string, number]>([
  [
    'none and 0',
    'rfc2833-mode: preferred, rfc2833-payload: 97',
    'rfc2833-mode: none, rfc2833-payload: 0',
    'preferred',
    97,
  ],
  [
    'own values',
    'rfc2833-mode: preferred, rfc2833-payload: 97',
    'rfc2833-mode: transparent, rfc2833-payload: 127',
    'transparent',
    127,
  ],
  ['defaults', '', '', 'transparent', 101],
])('mode and payload: %s', (_, onInterface, onAgent, ...[mode, payload]) => {
  const settings = settingsOf(onInterface, onAgent);
  expect(settings.rfc2833Mode.value).toBe(mode);
  expect(settings.rfc2833Payload.value).toBe(payload);
});

/** Every key but the four above, each with a value that is not its default. */
const OTHERS: readonly [keyof LegSettings, string, unknown, unknown][] = [
  ['kpmlOnHairpin', 'kpmlRFC2833-iwf-on-hairpin: enabled', true, false],
  ['sipInfo', 'sip-info: receive', 'receive', 'disabled'],
  ['kpmlSubscription', 'kpml-subscription: separate', 'separate', 'in-dialog'],
  ['mediaSource', 'media-source: learn-once', 'learn-once', 'sdp'],
  ['dtmfDurationMs', 'dtmf-duration-ms: 250ms', 250, 100],
  ['dtmfGapMs', 'dtmf-gap-ms: 40', 40, 60],
  ['dtmfPacketIntervalMs', 'dtmf-packet-interval-ms: 50', 50, undefined],
  ['dtmfDrainOnByeMs', 'dtmf-drain-on-bye-ms: 2000', 2000, 0],
  ['dtmfRepairMovedEnd', 'dtmf-repair-moved-end: disabled', false, true],
  ['dtmfMergeWindowMs', 'dtmf-merge-window-ms: 1000', 1000, 0],
  ['kpmlSubscribeExpiresSeconds', 'kpml-subscribe-expires: 60s', 60, 7200],
  ['kpmlEventParameters', 'kpml-event-parameters: full', 'full', 'none'],
  ['kpmlFlash', 'kpml-flash: enabled', true, false],
  ['kpmlBodylessRefresh', 'kpml-bodyless-refresh: unload', 'unload', 'keep'],
  ['kpmlDefaultPattern', 'kpml-default-pattern: enabled', true, false],
  ['kpmlTolerateMissingState', 'kpml-tolerate-missing-state: enabled', true, false],
  ['addSdpInvite', 'add-sdp-invite: both', 'both', 'disabled'],
  ['followRedirects', 'follow-redirects: any', 'any', 'agents'],
  ['inDialogInfo', 'in-dialog-info: reject', 'reject', 'relay'],
  ['inDialogMessage', 'in-dialog-message: reject', 'reject', 'relay'],
  ['refer', 'refer: local', 'local', 'relay'],
  ['replaces', 'replaces: enabled', true, false],
  ['sessionTimer', 'session-timer: force', 'force', 'enabled'],
  ['sessionExpiresSeconds', 'session-expires: 600s', 600, 1800],
  ['minSeSeconds', 'min-se: 120', 120, 90],
  ['sessionRefresher', 'session-refresher: us', 'us', 'auto'],
  ['dialogPingSeconds', 'dialog-ping: 0', 0, 600],
];

test.each(OTHERS)('%s may stand on interface and agent', (key, yaml, value, usual) => {
  expect(settingsOf('', '')[key]).toEqual({ value: usual, origin: 'default' });
  expect(settingsOf(yaml, '')[key]).toEqual({ value, origin: 'sip-interface core' });
  expect(settingsOf('', yaml)[key]).toEqual({ value, origin: 'session-agent carrier' });
});

test('legs of the same interface and agent share one value, others have their own', () => {
  const config = configOf(edited());
  const [access, core] = config.sipInterfaces;
  const [agent] = config.sessionAgents;
  if (access === undefined || core === undefined) throw new Error('the sample has two interfaces');
  expect(effectiveSettings(core, agent)).toBe(effectiveSettings(core, agent));
  expect(effectiveSettings(core, undefined)).toBe(effectiveSettings(core, undefined));
  expect(effectiveSettings(core, undefined)).not.toBe(effectiveSettings(core, agent));
  expect(effectiveSettings(access, agent)).not.toBe(effectiveSettings(core, agent));
});
