/** `tonebridge explain`: what would happen to a call, and why. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { effectiveSettings } from '../config/effective.ts';
import type { Hop } from '../trunk/policy.ts';
import { callingAt } from '../trunk/route-trace.ts';
import { loadConfigFile } from '../config/load-file.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { explainMedia, type MediaExplanation, type MediaQuestion } from './explain-media.ts';
import type { MethodExplanation } from './explain-method.ts';
import { formatMedia } from './explain-media-text.ts';
import { type CallQuestion, explainRoute, type RouteExplanation } from './explain-route.ts';
import { formatNumbers, formatTrace, traceJson } from './explain-route-text.ts';
import {
  describeHop,
  describeOrigin,
  describePolicy,
  formatLeg,
  parameterRows,
} from './explain-text.ts';
import { badConfig, type CommandResult, finish, globalOptions } from './output.ts';

type ExplainOptions = CallQuestion & MediaQuestion & { readonly all?: boolean };

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description(
      'say which interface, agent, policy and parameters a call would meet, and how its digits cross',
    )
    .requiredOption(
      '--from <agent or address>',
      'session agent, or IP address with optional port, such as tcp/192.0.2.7:5060',
    )
    .requiredOption('--to <number>', 'called number, SIP or tel URI')
    .option('--calling <number>', 'calling number')
    .option('--method <method>', 'method of a request outside calls, INVITE unless given')
    .option('--at <time>', 'when, such as 2026-11-22T10:00:00Z; now unless given')
    .option('--down <agents>', 'session agents that count as out of service, with commas')
    .option('--all', 'show the parameters that have their default too')
    .option('--offer <file>', "SDP of the caller's INVITE")
    .option('--answer <file>', "SDP of the callee's answer")
    .option('--caller-allow-events <events>', 'Allow-Events of the caller, such as kpml')
    .option('--callee-allow-events <events>', 'Allow-Events of the callee')
    .action((options: ExplainOptions, command: Command) => {
      const loaded = loadConfigFile(globalOptions(command).config);
      const result =
        loaded.type === 'invalid'
          ? badConfig(loaded.file, loaded.problems)
          : explainCall(loaded.config, options);
      finish(command, result);
    });
}

export function explainCall(config: Config, options: ExplainOptions): CommandResult {
  const found = explainRoute(config, options);
  if (found.type === 'method') return methodResult(found);
  if (found.type !== 'route') return explainFailure(found);
  const { origin, policy, policyIndex, hops, trace } = found;
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
  const shown = (hop: Hop): string => describeHop(hop, callingAt(hop, trace.calling.received));
  const others = hops.slice(1).map((hop) => `          then  ${shown(hop)}\n`);
  const text = [
    `caller    ${describeOrigin(origin)}\n`,
    formatNumbers(trace),
    `policy    ${describePolicy(policy, policyIndex)}\n`,
    formatTrace(trace),
    `callee    ${shown(first)}\n`,
    ...others,
    '\n',
    formatLeg("caller's leg", caller, options.all),
    '\n',
    formatLeg("callee's leg", callee, options.all),
    '\n',
    ...(media.type === 'unreadable' ? [] : [formatMedia(media)]),
  ].join('');
  const json = {
    type: 'route',
    caller: originJson(origin),
    policy: { index: policyIndex, ...policy },
    hops: hops.map((hop) => ({ ...hopJson(hop), calling: callingAt(hop, trace.calling.received) })),
    trace: traceJson(trace),
    parameters: { caller: parameterRows(caller), callee: parameterRows(callee) },
    media,
  };
  const errorText = media.type === 'unreadable' ? formatMedia(media) : '';
  return { exitCode: exitCodeOf(media), text, errorText, json };
}

function exitCodeOf(media: MediaExplanation): ExitCode {
  if (media.type === 'unreadable') return EXIT_CODES.usage;
  return media.type === 'badSdp' ? EXIT_CODES.findings : EXIT_CODES.good;
}

function methodResult(found: MethodExplanation): CommandResult {
  const { origin, method, status, why, hops } = found;
  const [first, ...others] = hops.map((hop) => describeHop(hop));
  const outcome =
    first === undefined
      ? [`answered  ${status}\n`]
      : [`relayed   ${first}\n`, ...others.map((hop) => `          then  ${hop}\n`)];
  const text = [`caller    ${describeOrigin(origin)}\n`, `methods   ${why}\n`, ...outcome].join('');
  const json = {
    type: 'method',
    caller: originJson(origin),
    method,
    status: status ?? null,
    why,
    hops: hops.map(hopJson),
  };
  const isGood = status === undefined || status === 200;
  return { exitCode: isGood ? EXIT_CODES.good : EXIT_CODES.findings, text, json };
}

function hopJson(hop: Hop) {
  return {
    sipInterface: hop.sipInterface.name,
    agent: hop.agent?.name ?? null,
    requestUri: hop.requestUri,
    nextHop: hop.nextHop,
  };
}

function explainFailure(
  found: Exclude<RouteExplanation, { type: 'route' | 'method' }>,
): CommandResult {
  if (found.type === 'unclear') {
    return { exitCode: EXIT_CODES.usage, text: '', errorText: `${found.message}\n`, json: found };
  }
  const exitCode = EXIT_CODES.findings;
  if (found.type === 'refused') return { exitCode, text: `${found.message}\n`, json: found };
  const { origin, status, reason, policyIndex, trace } = found;
  const by = policyIndex === undefined ? '' : ` by local-policies[${policyIndex}]`;
  const text = `caller    ${describeOrigin(origin)}\n${formatNumbers(trace)}rejected  ${status} ${reason}${by}\n${formatTrace(trace)}`;
  const caller = originJson(origin);
  const json = { type: 'rejected', caller, status, reason, policyIndex, trace: traceJson(trace) };
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
