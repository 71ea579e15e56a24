/** By which methods each path is served: a request by another one is told (RFC 9110 §15.5.6). */
import type { FastifyInstance } from 'fastify';

interface KnownPath {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

export class KnownMethods {
  readonly #paths = new Map<string, KnownPath>();

  /** Notes every route that is added from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#paths.get(url) ?? { segments: url.split('/'), methods: new Set() };
      this.#paths.set(url, known);
      for (const each of [method].flat()) known.methods.add(each);
    });
  }

  /** The methods that `url`, with or without a query, is served by; none where there is no such resource. */
  of(url: string): string[] {
    const segments = (url.split('?', 1)[0] ?? '').split('/');
    const methods = [...this.#paths.values()]
      .filter((path) => isAt(path.segments, segments))
      .flatMap((path) => [...path.methods]);
    return [...new Set(methods)].toSorted();
  }
}

function isAt(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.startsWith(':') ? segments[index] !== '' : part === segments[index],
  );
}
