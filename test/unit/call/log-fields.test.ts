import { expect, test } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import { endLogFields, logFieldsOf } from '../../../src/call/log-fields.ts';
import type { SipRequest } from '../../../src/wire/sip-message.ts';
import { configOf, SAMPLE } from '../config/sample.ts';

const config = configOf(SAMPLE);

function leg(side: 'caller' | 'callee', interfaceName: string, agentName?: string): CallLeg {
  const sipInterface = config.sipInterfaces.find(({ name }) => name === interfaceName);
  const realm = config.realms.find(({ name }) => name === sipInterface?.realm);
  const agent = config.sessionAgents.find(({ name }) => name === agentName);
  if (sipInterface === undefined || realm === undefined) throw new Error('no leg');
  const remote = '192.0.2.1:5060';
  const made = new CallLeg({ side, sipInterface, realm, agent, remote, transport: 'udp' });
  made.invite = invite(`${side}-call`);
  return made;
}

function invite(callId: string): SipRequest {
  const headers = [{ name: 'Call-ID', value: callId }];
  return { type: 'request', method: 'INVITE', uri: 'sip:1@h', headers, body: Buffer.alloc(0) };
}

test('each line about a call names the leg of its caller', () => {
  expect(logFieldsOf('c1', leg('caller', 'core', 'carrier'))).toEqual({
    callId: 'c1',
    legA: 'caller-call',
    realm: 'core',
    agent: 'carrier',
  });
  expect(logFieldsOf('c1', leg('caller', 'access'))).toEqual({
    callId: 'c1',
    legA: 'caller-call',
    realm: 'access',
  });
});

test('the line at the end names the leg of its callee too', () => {
  const cause = { name: 'callee-refused', by: 'callee', status: 486 } as const;
  const end = { cause: 'callee-refused', by: 'callee', status: 486 };
  expect(endLogFields(cause, false, undefined)).toEqual(end);
  expect(endLogFields(cause, false, leg('callee', 'core', 'carrier'))).toEqual({
    ...end,
    legB: 'callee-call',
    calleeRealm: 'core',
    calleeAgent: 'carrier',
  });
  const hangUp = { name: 'hang-up', by: 'caller' } as const;
  expect(endLogFields(hangUp, true, undefined)).toMatchObject({ status: 200 });
});
