import { describe, expect, test } from 'vitest';
import { policyText } from '../../../../src/config/routing-config.ts';
import { AGENTS, load, NETWORK } from './imported.ts';

function policy(parameters: readonly string[], attribute: readonly string[]) {
  const lines = [
    'local-policy',
    ...parameters.map((text) => ` ${text}`),
    ' policy-attribute',
    ...attribute.map((text) => `  ${text}`),
  ];
  const { config, lines: fates } = load(lines);
  const first = NETWORK.length + AGENTS.length + 1;
  return {
    policies: config.localPolicies.map((one) => policyText(one)),
    reasons: fates
      .filter(({ line, fate }) => line >= first && fate === 'not-carried')
      .map(({ reason }) => reason),
  };
}

describe('local-policy', () => {
  test.each<[string[], string[], string[]]>([
    [
      ['from-address *', 'to-address *', 'source-realm access'],
      ['next-hop SAG:sag'],
      ['from-realm access, to *, next-hop sag'],
    ],
    [
      ['to-address 49', 'source-realm *'],
      ['next-hop gw', 'realm core'],
      ['from-realm *, to 49, next-hop gw'],
    ],
    [
      ['to-address +49', 'from-address 4930', 'source-realm access'],
      ['next-hop 10.0.1.2'],
      ['from-realm access, to +49, from 4930, next-hop gw'],
    ],
    [
      ['to-address DS:0049*', 'source-realm access'],
      ['next-hop gw'],
      ['from-realm access, to 0049, next-hop gw'],
    ],
    [
      ['to-address 1', 'source-realm access core'],
      ['next-hop gw'],
      ['from-realm access, to 1, next-hop gw', 'from-realm core, to 1, next-hop gw'],
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'cost 5'],
      ['from-realm access, to 1, cost 5, next-hop gw'],
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'days-of-week F-M', 'start-time 2200', 'end-time 0600'],
      ['from-realm access, to 1, time mon,fri,sat,sun 22:00-06:00 UTC, next-hop gw'],
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'methods INVITE,MESSAGE,PRACK'],
      ['from-realm access, to 1, methods INVITE MESSAGE, next-hop gw'],
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop 10.0.1.77', 'realm core'],
      ['from-realm access, to 1, next-hop 10.0.1.77'],
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop 10.0.1.77'],
      ['from-realm access, to 1, next-hop 10.0.1.77'],
    ],
  ])('%j, %j', (parameters, attribute, expected) => {
    expect(policy(parameters, attribute).policies).toEqual(expected);
  });

  test.each<[string[], string[], string]>([
    [['state disabled', 'to-address 1'], ['next-hop gw'], 'is disabled'],
    [['to-address 1', 'source-realm nowhere'], ['next-hop gw'], 'no sip-interface serves nowhere'],
    [
      ['to-address sip.example.com', 'source-realm access'],
      ['next-hop gw'],
      'to-address sip.example.com is no prefix of a number',
    ],
    [
      ['to-address 1', 'policy-priority emergency'],
      ['next-hop gw'],
      'is for requests with Priority emergency alone',
    ],
    [['to-address 1', 'source-realm access'], ['next-hop SAG:none'], 'there is no group none here'],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop enum:lerg'],
      'enum:lerg: routes stand in this file alone',
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'action redirect'],
      'answers with a redirection',
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'days-of-week H'],
      'days H cannot be written',
    ],
    [
      ['to-address 1', 'source-realm access'],
      ['next-hop gw', 'app-protocol H323'],
      'leads to H323',
    ],
  ])('%j, %j is lost', (parameters, attribute, reason) => {
    const { policies, reasons } = policy(parameters, attribute);
    expect(policies).toEqual([]);
    expect(reasons).toContain(reason);
  });
});
