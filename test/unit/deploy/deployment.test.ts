import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { buildProgram } from '../../../src/cli/program.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { lintConfig } from '../../../src/config/lint.ts';
import { readUnitFile } from '../../support/unit-file.ts';

const PROJECT = new URL('../../../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, PROJECT), 'utf8');
}

function exists(path: string): boolean {
  return existsSync(new URL(path, PROJECT));
}

function isCommand(name: string | undefined): boolean {
  return buildProgram().commands.some((command) => command.name() === name);
}

describe('the image', () => {
  const lines = read('Dockerfile').split('\n');

  test('runs the major version of Node that the project is developed with', () => {
    const { devDependencies } = z
      .object({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const major = /(\d+)/.exec(devDependencies['node'] ?? '')?.[1];
    expect(lines).toContain(`FROM node:${major}-bookworm-slim`);
  });

  test('runs as a user without rights, and is asked for its health', () => {
    const user = lines.findIndex((line) => line === 'USER node');
    const entry = lines.findIndex((line) => line.startsWith('ENTRYPOINT'));
    expect(user).toBeGreaterThan(0);
    expect(user).toBeLessThan(entry);
    expect(read('Dockerfile')).toMatch(/HEALTHCHECK .*\\\n {2}CMD \["node", "-e", ".*healthz/);
  });

  test('starts a program that exists, from files that are copied', () => {
    const entry = z.array(z.string()).parse(JSON.parse(directive('ENTRYPOINT')));
    const [word] = z.array(z.string()).parse(JSON.parse(directive('CMD')));
    expect(exists(entry[1] ?? 'none')).toBe(true);
    expect(isCommand(word)).toBe(true);
    const copied = lines
      .filter((line) => line.startsWith('COPY '))
      .flatMap((line) => line.split(' ').slice(1, -1));
    const ignored = new Set(read('.dockerignore').split('\n'));
    expect(copied.filter((path) => ignored.has(path) || !exists(path))).toEqual([]);
  });

  function directive(name: string): string {
    return lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  }
});

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string().optional(),
      build: z.string().optional(),
      network_mode: z.string().optional(),
      profiles: z.array(z.string()).optional(),
      command: z.array(z.string()).optional(),
      stop_grace_period: z.string().optional(),
      volumes: z.array(z.string()).optional(),
      env_file: z.array(z.object({ path: z.string(), required: z.boolean() })).optional(),
      environment: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

describe('docker-compose.yml', () => {
  const { services } = composeSchema.parse(parse(read('docker-compose.yml')));

  test('starts the SBC alone unless a profile asks for more', () => {
    const plain = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
    expect(plain.map(([name]) => name)).toEqual(['sbc']);
    const profiles = new Set(Object.values(services).flatMap((service) => service.profiles ?? []));
    expect([...profiles]).toEqual(expect.arrayContaining(['drachtio', 'rtpengine']));
  });

  test('keeps signalling and media on the network of the host', () => {
    const names = ['sbc', 'drachtio', 'rtpengine'];
    expect(names.filter((name) => services[name]?.network_mode !== 'host')).toEqual([]);
  });

  test('names versions, and builds from files that exist', () => {
    const images = Object.values(services).flatMap(({ image }) => image ?? []);
    expect(images.filter((image) => !/:v?\d+\.\d+/.test(image))).toEqual([]);
    const builds = Object.values(services).flatMap(({ build }) => build ?? []);
    expect(builds.filter((build) => !exists(`${build}/Dockerfile`))).toEqual([]);
  });

  test('hands the SBC every variable of a .env file that may be missing, and where its health is', () => {
    expect(services['sbc']?.env_file).toEqual([{ path: '.env', required: false }]);
    expect(services['sbc']?.environment?.['SBC_HEALTH_URL']).toMatch(/^\$\{SBC_HEALTH_URL:-http:/);
    expect(read('.dockerignore').split('\n')).toContain('**/.env');
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  test('has an SBC on rtpengine whose configuration meets the options of that rtpengine', () => {
    const options = services['rtpengine']?.command ?? [];
    const valueOf = (name: string): string | undefined =>
      options.find((option) => option.startsWith(`--${name}=`))?.slice(name.length + 3);
    const file = 'config/sbc.rtpengine.yaml';
    const loaded = loadConfig({ text: read(file), file, env: {} });
    if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
    expect(lintConfig(loaded)).toEqual([]);
    const { engine, rtpengine } = loaded.config.media;
    expect(engine).toBe('rtpengine');
    const nodes = rtpengine.map(({ host, port, dtmfListen }) => [
      `${host}:${port}`,
      `${dtmfListen?.address}:${dtmfListen?.port}`,
    ]);
    expect(nodes).toEqual([[valueOf('listen-ng'), valueOf('dtmf-log-dest')]]);
    expect(services['sbc']?.environment?.['SBC_CONFIG_FILE']).toContain('SBC_CONFIG_FILE');
  });

  test('leaves a stopped SBC the time to drain', () => {
    expect(services['sbc']?.stop_grace_period).toBe('1h');
  });
});

describe('the systemd unit', () => {
  const service = readUnitFile(read('deploy/systemd/tonebridge.service')).get('Service');
  const value = (key: string): string | undefined => service?.get(key)?.at(-1);

  test('drains at stop, reloads on demand, comes back after a failure', () => {
    expect(value('TimeoutStopSec')).toBe('1h');
    expect(value('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    expect(value('Restart')).toBe('on-failure');
    expect(service?.has('KillSignal')).toBe(false);
  });

  test('counts as started when the SBC says so, which a child of it tells', () => {
    expect(value('Type')).toBe('notify');
    expect(value('NotifyAccess')).toBe('all');
    expect(value('RestrictAddressFamilies')).toContain('AF_UNIX');
  });

  test('has a user of its own and no capability', () => {
    expect(value('User')).toBe('tonebridge');
    expect(value('CapabilityBoundingSet')).toBe('');
    expect(value('NoNewPrivileges')).toBe('yes');
    expect(value('ProtectSystem')).toBe('strict');
  });

  test('lets the compiler of V8 write code', () => {
    expect(value('MemoryDenyWriteExecute')).toBe('no');
  });
});

describe('the kernel path of media', () => {
  test('has the one right that it needs with systemd, as a user, on the network of the machine', () => {
    const unit = readUnitFile(read('deploy/systemd/kernel-io.conf')).get('Service');
    expect(unit?.get('CapabilityBoundingSet')).toEqual(['CAP_NET_ADMIN']);
    expect(unit?.get('AmbientCapabilities')).toEqual(['CAP_NET_ADMIN']);
    expect(unit?.get('PrivateUsers')).toEqual(['no']);
    const service = readUnitFile(read('deploy/systemd/tonebridge.service')).get('Service');
    expect(service?.get('RestrictAddressFamilies')?.at(-1)).toContain('AF_NETLINK');
  });

  test('is a file of nft in containers, that the runtime has to allow', () => {
    expect(read('Dockerfile')).toMatch(/setcap cap_net_admin=ep \S*nft\b/);
    const compose = parse(read('deploy/compose/kernel-io.yaml'), { logLevel: 'error' });
    expect(compose).toEqual({
      services: { sbc: { cap_add: ['NET_ADMIN'], security_opt: ['no-new-privileges:false'] } },
    });
    const patch = JSON.stringify(parse(read('deploy/kubernetes/kernel-io.yaml')));
    expect(patch).toContain('"capabilities":{"drop":["ALL"],"add":["NET_ADMIN"]}');
    expect(patch).toContain('"allowPrivilegeEscalation":true');
  });
});

const podSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        hostNetwork: z.literal(true),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({ runAsNonRoot: z.literal(true) }),
        containers: z.tuple([
          z.object({
            args: z.array(z.string()),
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
            lifecycle: z.object({
              preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }),
            }),
            livenessProbe: probe('/healthz').extend({ terminationGracePeriodSeconds: z.number() }),
            readinessProbe: probe('/readyz'),
            securityContext: z.object({
              readOnlyRootFilesystem: z.literal(true),
              allowPrivilegeEscalation: z.literal(false),
            }),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
  }),
});

function probe(path: string) {
  return z.object({
    httpGet: z.object({ host: z.literal('127.0.0.1'), port: z.number(), path: z.literal(path) }),
  });
}

describe('the kubernetes manifest', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/tonebridge.yaml')).map((document) =>
    z.record(z.string(), z.unknown()).parse(document.toJS()),
  );
  const pod = podSchema.parse(documents.find(({ kind }) => kind === 'DaemonSet')).spec.template
    .spec;
  const [container] = pod.containers;

  test('drains before a pod ends, with commands that exist', () => {
    const [, program, word, option] = container.lifecycle.preStop.exec.command;
    expect(exists(program ?? 'none')).toBe(true);
    const drain = buildProgram().commands.find((command) => command.name() === word);
    expect(drain?.options.map(({ long }) => long)).toContain(option);
    expect(isCommand(container.args[0])).toBe(true);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(3600);
  });

  test('replaces an SBC that hangs at once: it drains nothing any more', () => {
    expect(container.livenessProbe.terminationGracePeriodSeconds).toBeLessThanOrEqual(30);
  });

  test('mounts every volume once', () => {
    const mounted = container.volumeMounts.map(({ name }) => name);
    expect(mounted.toSorted()).toEqual(pod.volumes.map(({ name }) => name).toSorted());
  });

  test('carries a configuration that loads, and that the linter finds no error in', () => {
    const { data } = z
      .object({ data: z.record(z.string(), z.string()) })
      .parse(documents.find(({ kind }) => kind === 'ConfigMap'));
    for (const [file, text] of Object.entries(data)) {
      const loaded = loadConfig({ text, file, env: {}, readSecretFile: () => 'a-token' });
      if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
      const serious = lintConfig(loaded).filter(({ severity }) => severity === 'error');
      expect(serious).toEqual([]);
    }
  });
});
