/** What the system's `ip` knows of addresses and routes. */

import { spawn } from 'node:child_process';

/** Runs `ip -j` with many commands, a line each; what it prints, '' when it cannot be run. */
export type AskIp = (commands: string) => Promise<string>;

/** Whatever goes wrong with one command leaves out its answer. */
export function askIp(commands: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn('ip', ['-j', '-force', '-batch', '-'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let answer = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    child.stdin.on('error', () => undefined);
    child.on('error', () => resolve(''));
    child.on('close', () => resolve(answer));
    child.stdin.end(commands);
  });
}

/** The objects in an answer, those of all commands. */
export function parseIp(answer: string): Record<string, unknown>[] {
  return answer.split('\n').flatMap((line) => {
    if (!line.startsWith('[')) return [];
    try {
      const parsed: unknown = JSON.parse(line);
      return Array.isArray(parsed) ? parsed.filter((each) => isRecord(each)) : [];
    } catch {
      return [];
    }
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
