import type { Registry } from 'prom-client';

/**
 * The metrics of `registry` as Prometheus text (version 0.0.4). One that cannot be read now, as for want of a file
 * descriptor, is left out: the others are what tells why.
 */
export async function prometheusText(registry: Registry): Promise<string> {
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const texts = await Promise.all(names.map((name) => textOf(registry, name)));
  return `${texts.filter((text) => text !== undefined).join('\n\n')}\n`;
}

async function textOf(registry: Registry, name: string): Promise<string | undefined> {
  try {
    return await registry.getSingleMetricAsString(name);
  } catch {
    return undefined;
  }
}
