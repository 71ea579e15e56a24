import { expect, test } from 'vitest';
import { ConfigReload, type ConfigReloadOptions } from '../../../src/api/config-reload.ts';
import type { PreparePart, ReadConfig } from '../../../src/api/reload-part.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { formatPath } from '../../../src/config/problem.ts';
import { createLog } from '../../../src/observe/log.ts';

const YAML = `sip: { engine: embedded }
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ "udp/127.0.0.1:5060" ] }
feature-keys: { enabled: false }
`;
const MORE_PORTS = YAML.replace(':5060"', ':5060", "udp/127.0.0.1:5070"');

function read(text: string): ReadConfig {
  return loadConfig({ text, file: 'sbc.yaml', env: {} });
}

interface Bed {
  readonly log: string[];
  readonly reload: ConfigReload;
}

/** Writes down in which order the parts are asked. */
function bed(next: string, changes: Partial<ConfigReloadOptions> = {}, current = YAML): Bed {
  const log: string[] = [];
  const loaded = read(current);
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const prepareSip: PreparePart = () => {
    log.push('sip prepared');
    return Promise.resolve({
      type: 'prepared',
      isChanged: false,
      commit: () => {
        log.push('sip committed');
        return { isCommitted: true, settled: Promise.resolve() };
      },
      rollback: () => Promise.resolve(void log.push('sip rolled back')),
    });
  };
  const reload = new ConfigReload({
    config: loaded.config,
    readConfig: () => read(next),
    prepareSip,
    features: { reconfigure: () => Promise.resolve(void log.push('features')) },
    apply: () => log.push('applied'),
    metrics: {
      configReloaded: (result) => log.push(result),
      configLoaded: () => undefined,
    },
    log: createLog('silent'),
    ...changes,
  });
  return { log, reload };
}

test('sockets are ready before anything changes, then all changes in one turn', async () => {
  const { log, reload } = bed(MORE_PORTS);
  expect(await reload.reload()).toMatchObject({ type: 'applied', isChanged: true });
  expect(log).toEqual(['sip prepared', 'features', 'sip committed', 'applied', 'applied']);
});

test.each<[string, string, Partial<ConfigReloadOptions>, readonly string[]]>([
  [
    'an invalid file',
    YAML.replace('udp/', 'ump/'),
    {},
    ['5 sip-interfaces[0].sip-ports[0]', 'refused'],
  ],
  [
    'a change that needs a restart',
    `${YAML}media: { workers: 3 }\n`,
    {},
    ['7 media a change here needs a restart', 'refused'],
  ],
  [
    'sockets that cannot be had',
    MORE_PORTS,
    {
      prepareSip: (_current, { lineOf }) => {
        const path = ['sip-interfaces', 0, 'sip-ports', 1];
        const message = 'EADDRINUSE';
        return Promise.resolve([
          { line: lineOf(path) ?? 0, column: 1, path: formatPath(path), message },
        ]);
      },
    },
    ['5 sip-interfaces[0].sip-ports[1] EADDRINUSE', 'refused'],
  ],
  [
    'feature keys that cannot be had: the sockets are given back',
    MORE_PORTS,
    {
      features: {
        reconfigure: () => Promise.resolve({ path: ['feature-keys'], message: 'no store' }),
      },
    },
    ['6 feature-keys no store', 'sip prepared', 'sip rolled back', 'refused'],
  ],
])('%s refuses the file whole', async (_name, next, changes, [problem = '', ...order]) => {
  const { log, reload } = bed(next, changes);
  const view = await reload.reload();
  const texts =
    view.type === 'refused'
      ? view.problems.map(({ line, path, message }) => `${line} ${path} ${message}`)
      : [];
  expect(texts).toEqual([expect.stringContaining(problem)]);
  expect(log).toEqual(order);
});

test('an engine that crashes before the commit leaves the old configuration everywhere', async () => {
  const reconfigured: string[] = [];
  const { log, reload } = bed(MORE_PORTS, {
    prepareSip: () =>
      Promise.resolve({
        type: 'prepared',
        isChanged: true,
        commit: () => ({ isCommitted: false, settled: Promise.resolve() }),
        rollback: () => Promise.resolve(void log.push('sip rolled back')),
      }),
    features: {
      reconfigure: ({ sipInterfaces }) =>
        Promise.resolve(void reconfigured.push(`${sipInterfaces[0]?.sipPorts.length} ports`)),
    },
  });
  expect(await reload.reload()).toMatchObject({ type: 'refused' });
  expect(log).toEqual(['sip rolled back', 'refused']);
  expect(reconfigured).toEqual(['2 ports', '1 ports']);
});

test('with a drachtio-server a change of sockets needs a restart, one of an allow list does not', async () => {
  const server = YAML.replace(
    'engine: embedded',
    'engine: drachtio, drachtio: { host: 127.0.0.1, secret: s }',
  );
  const ports = bed(server.replace(':5060"', ':5070"'), {}, server);
  expect(await ports.reload.reload()).toMatchObject({
    type: 'refused',
    problems: [{ line: 5, message: expect.stringContaining('drachtio-server') }],
  });
  const networks = bed(
    server.replace('realm: access,', 'realm: access, allow: [ 192.0.2.0/24 ],'),
    {},
    server,
  );
  expect(await networks.reload.reload()).toMatchObject({ type: 'applied' });
});

test('reloads that are asked for at once come one after the other', async () => {
  const { log, reload } = bed(MORE_PORTS);
  await Promise.all([reload.reload(), reload.reload()]);
  expect(log.filter((line) => line === 'sip prepared' || line === 'sip committed')).toEqual([
    'sip prepared',
    'sip committed',
    'sip prepared',
    'sip committed',
  ]);
});
