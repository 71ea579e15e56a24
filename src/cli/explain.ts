/** `tonebridge explain`: what would happen to a call, and why. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { effectiveSettings } from '../config/effective.ts';
import { loadConfigFile } from '../config/load-file.ts';
import { checkConfig } from './check.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { explainMedia, type MediaExplanation, type MediaQuestion } from './explain-media.ts';
import { formatMedia } from './explain-media-text.ts';
import { type CallQuestion, explainRoute, type RouteExplanation } from './explain-route.ts';
import {
  describeHop,
  describeOrigin,
  describePolicy,
  formatLeg,
  parameterRows,
} from './explain-text.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';

type ExplainOptions = CallQuestion & MediaQuestion;

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description(
      'say which interface, agent, policy and parameters a call would meet, and how its digits cross',
    )
    .requiredOption('--from <agent or address>', 'session agent, or IP address with optional port')
    .requiredOption('--to <number>', 'called number or SIP URI')
    .option('--offer <file>', "SDP of the caller's INVITE")
    .option('--answer <file>', "SDP of the callee's answer")
    .option('--caller-allow-events <events>', 'Allow-Events of the caller, such as kpml')
    .option('--callee-allow-events <events>', 'Allow-Events of the callee')
    .action((options: ExplainOptions, command: Command) => {
      const loaded = loadConfigFile(globalOptions(command).config);
      const result =
        loaded.type === 'invalid' ? checkConfig(loaded) : explainCall(loaded.config, options);
      finish(command, result);
    });
}

export function explainCall(config: Config, options: ExplainOptions): CommandResult {
  const found = explainRoute(config, options);
  if (found.type !== 'route') return explainFailure(found);
  const { origin, policy, policyIndex, hops } = found;
  const caller = effectiveSettings(origin.sipInterface, origin.agent);
  const [first] = hops;
  if (first === undefined) throw new Error('a route has at least one hop');
  const callee = effectiveSettings(first.sipInterface, first.agent);
  const media = explainMedia(
    config,
    {
      settings: { caller, callee },
      interfaces: { caller: origin.sipInterface, callee: first.sipInterface },
    },
    options,
  );
  const others = hops.slice(1).map((hop) => `          then  ${describeHop(hop)}\n`);
  const text = [
    `caller    ${describeOrigin(origin)}\n`,
    `policy    ${describePolicy(policy, policyIndex)}\n`,
    `callee    ${describeHop(first)}\n`,
    ...others,
    '\n',
    formatLeg("caller's leg", caller),
    '\n',
    formatLeg("callee's leg", callee),
    '\n',
    formatMedia(media),
  ].join('');
  const json = {
    type: 'route',
    caller: originJson(origin),
    policy: { index: policyIndex, ...policy },
    hops: hops.map((hop) => ({
      sipInterface: hop.sipInterface.name,
      agent: hop.agent?.name ?? null,
      requestUri: hop.requestUri,
      nextHop: hop.nextHop,
    })),
    parameters: { caller: parameterRows(caller), callee: parameterRows(callee) },
    media,
  };
  return { exitCode: exitCodeOf(media), text, json };
}

function exitCodeOf(media: MediaExplanation): ExitCode {
  if (media.type === 'unreadable') return EXIT_CODES.usage;
  return media.type === 'badSdp' ? EXIT_CODES.findings : EXIT_CODES.good;
}

function explainFailure(found: Exclude<RouteExplanation, { type: 'route' }>): CommandResult {
  if (found.type === 'unclear') {
    return { exitCode: EXIT_CODES.usage, text: `${found.message}\n`, json: found };
  }
  const exitCode = EXIT_CODES.findings;
  if (found.type === 'refused') return { exitCode, text: `${found.message}\n`, json: found };
  const { origin, status, reason, policyIndex } = found;
  const by = policyIndex === undefined ? '' : ` by local-policies[${policyIndex}]`;
  const text = `caller    ${describeOrigin(origin)}\nrejected  ${status} ${reason}${by}\n`;
  const json = { type: 'rejected', caller: originJson(origin), status, reason, policyIndex };
  return { exitCode, text, json };
}

function originJson(origin: Extract<RouteExplanation, { type: 'route' }>['origin']) {
  return {
    sipInterface: origin.sipInterface.name,
    realm: origin.sipInterface.realm,
    agent: origin.agent?.name ?? null,
    admittedAs: origin.admittedAs,
  };
}
