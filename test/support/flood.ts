/** A flood of SIP requests from a process of its own, and what the flooded process uses. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SipTarget } from './sip-peer.ts';

const PROGRAM = fileURLToPath(new URL('flood-sender.ts', import.meta.url));
const SAMPLE_MS = 100;

export interface FloodOrder {
  readonly method: string;
  /** User part of the Request-URI. */
  readonly user: string;
  readonly target: SipTarget;
  readonly perSecond: number;
  readonly seconds: number;
  /** Own addresses it sends from, in turn. */
  readonly sources: readonly string[];
  readonly transport?: 'udp' | 'tcp';
  /** TCP only, default 1. */
  readonly connectionsPerSource?: number;
}

export interface FloodResult {
  /** Messages handed to the system. */
  readonly sent: number;
  readonly seconds: number;
}

export class Flood {
  readonly #child: ChildProcess;
  readonly #result: Promise<FloodResult>;

  constructor(order: FloodOrder) {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(order)], { stdio: [...stdio] });
    let output = '';
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    this.#result = once(this.#child, 'close').then((): FloodResult => JSON.parse(output));
    // Whoever waits for the end sees a failure.
    this.#result.catch(() => undefined);
  }

  /** Resolves at its end. */
  ended(): Promise<FloodResult> {
    return this.#result;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#result.catch(() => undefined);
  }
}

/** `count` loopback addresses beside the usual one. */
export function loopbackSources(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `127.66.${index >> 8}.${index & 255 || 1}`);
}

/** Follows the resident size of a process. */
export class ResidentSize {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  peakBytes: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.peakBytes = this.nowBytes();
    this.#timer = setInterval(() => {
      this.peakBytes = Math.max(this.peakBytes, this.nowBytes());
    }, SAMPLE_MS);
  }

  nowBytes(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
