/**
 * The SIP side in a reload: sockets of the engine, connections to it.
 *
 *   certificates read ─► engine prepares ─► stack connects to new engines ─► both commit in one turn
 *          └──────────────────┴──────────────────────┴─► engine rolls back: problem with the line of the file
 */
import { type PreparePart, problemAt, type ValidConfig } from './api/reload-part.ts';
import type { ProblemView } from './api/backend.ts';
import type { Config } from './config/config.ts';
import type { EngineThread } from './engine/engine-thread.ts';
import type { EngineProblem, NamedEngineOptions } from './engine/engine-protocol.ts';
import type { ConnectionChange, SipStack } from './sip/stack.ts';
import type { StackConnection } from './sip/stack-connection.ts';
import { TlsFilesProblem } from './sip-tls.ts';

export interface SipReloadParts {
  readonly thread: EngineThread;
  readonly stack: Pick<SipStack, 'prepare'>;
  /** What runs now. */
  readonly running: readonly NamedEngineOptions[];
  /** @throws TlsFilesProblem when a certificate or key is unusable. */
  readonly enginesFor: (config: Config) => readonly NamedEngineOptions[];
  readonly connectionsTo: (thread: Pick<EngineThread, 'engines'>) => readonly StackConnection[];
}

/** What the embedded engine needs for a new configuration, whole or not at all. */
export function sipReload(parts: SipReloadParts): PreparePart {
  const { thread, stack, enginesFor, connectionsTo } = parts;
  let running = textOf(parts.running);
  return async (_current, loaded) => {
    const wanted = readEngines(loaded, enginesFor);
    if (!('engines' in wanted)) return [wanted];
    const text = textOf(wanted.engines);
    const change = await thread.prepare(wanted.engines);
    if (change.type === 'problem') return [problemOf(loaded, change)];
    let connections: ConnectionChange;
    try {
      connections = await stack.prepare(connectionsTo(change));
    } catch (error) {
      await change.rollback();
      const reason = error instanceof Error ? error.message : String(error);
      return [problemAt(loaded, ['sip-interfaces'], reason)];
    }
    return {
      type: 'prepared',
      isChanged: text !== running,
      commit: () => {
        const outcome = change.commit();
        if (!outcome.isCommitted) return outcome;
        connections.commit();
        running = text;
        return outcome;
      },
      rollback: async () => {
        connections.rollback();
        await change.rollback();
      },
    };
  };
}

function readEngines(
  loaded: ValidConfig,
  enginesFor: SipReloadParts['enginesFor'],
): { readonly engines: readonly NamedEngineOptions[] } | ProblemView {
  try {
    return { engines: enginesFor(loaded.config) };
  } catch (error) {
    if (!(error instanceof TlsFilesProblem)) throw error;
    return problemAt(loaded, tlsPath(loaded, error.interfaceName), error.message);
  }
}

function problemOf(loaded: ValidConfig, { name, part, reason }: EngineProblem): ProblemView {
  if (part.type === 'tls') return problemAt(loaded, tlsPath(loaded, name), reason);
  const path = pathOf(loaded, name);
  const place = part.type === 'listen' ? [...path, 'sip-ports', part.index] : path;
  return problemAt(loaded, place, reason);
}

function tlsPath(loaded: ValidConfig, interfaceName: string): readonly (string | number)[] {
  return [...pathOf(loaded, interfaceName), 'tls'];
}

function pathOf({ config }: ValidConfig, interfaceName: string): readonly (string | number)[] {
  const index = config.sipInterfaces.findIndex(({ name }) => name === interfaceName);
  return index < 0 ? ['sip-interfaces'] : ['sip-interfaces', index];
}

/** The peers change with the agents, and without a word of the file. */
function textOf(engines: readonly NamedEngineOptions[]): string {
  return JSON.stringify(engines.map((engine) => ({ ...engine, knownPeers: [] })));
}
