/** Examples at the end of the help of each command, by the path of the command. */
import type { Command } from 'commander';

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  check: ['tonebridge check config/sbc.yaml', 'tonebridge check --explain open-interface'],
  plan: ['tonebridge plan new.yaml', 'tonebridge plan new.yaml --json'],
  apply: ['tonebridge apply new.yaml', 'tonebridge apply new.yaml --yes'],
  rollback: ['tonebridge rollback --yes'],
  explain: [
    'tonebridge explain --from 192.0.2.7 --to 4930123456',
    'tonebridge explain --from carrier --to 2001 --offer offer.sdp --callee-allow-events kpml',
  ],
  simulate: ['tonebridge simulate --scenario config/scenarios/*.yaml --brief'],
  trace: ['tonebridge trace 4930123456', 'tonebridge trace 4930123456 --json'],
  reload: ['tonebridge reload', 'tonebridge reload --api http://192.0.2.10:8080'],
  'show calls': ['tonebridge show calls', 'tonebridge show calls --ended --limit 20'],
  'show call': ['tonebridge show call CALL'],
  'show ladder': ['tonebridge show ladder CALL', 'tonebridge show ladder CALL --output call.pcap'],
  'show digits': ['tonebridge show digits --call CALL'],
  'show agents': ['tonebridge show agents', "tonebridge show agents --json | jq '.[].state'"],
  'show subscriptions': ['tonebridge show subscriptions'],
  'show features': ['tonebridge show features 2001@pbx.example'],
  'agents lock': ['tonebridge agents lock carrier'],
  'agents unlock': ['tonebridge agents unlock carrier'],
  'features get': ['tonebridge features get 2001@pbx.example dnd'],
  'features set': [
    'tonebridge features set 2001@pbx.example dnd on',
    'tonebridge features set 2001@pbx.example cfna on --forward-to 2828 --rings 4',
  ],
  'features refresh': ['tonebridge features refresh 2001@pbx.example'],
  'features history': ['tonebridge features history 2001@pbx.example --limit 10'],
  'features test': ['tonebridge features test 2001@pbx.example'],
  demo: ['tonebridge demo', 'tonebridge demo --ladder'],
  'demo-features': ['tonebridge demo-features'],
  engine: ['tonebridge engine --sip udp/127.0.0.1:5060 --sip tcp/127.0.0.1:5060'],
  'completion bash': ['source <(tonebridge completion bash)'],
  'completion zsh': ['source <(tonebridge completion zsh)'],
  'completion values': ['tonebridge completion values agents'],
};

/** Adds the examples to the commands below `command`. */
export function addExamples(command: Command, path = ''): void {
  for (const inner of command.commands) {
    const name = `${path} ${inner.name()}`.trim();
    const examples = EXAMPLES[name];
    if (examples !== undefined) {
      inner.addHelpText('after', `\nExamples:\n${examples.map((one) => `  ${one}`).join('\n')}`);
    }
    addExamples(inner, name);
  }
}
