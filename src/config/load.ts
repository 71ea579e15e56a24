/**
 * Text of a configuration file -> frozen Config, or everything that is wrong with it.
 *
 *   YAML -> secrets -> schema -> references -> Config
 *
 * A pure function: a refused file leaves nothing behind. All stages report, so one run shows all problems.
 */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import type { FeatureProviderConfig } from './feature-keys-config.ts';
import { knownSchema } from './known-schema.ts';
import type { ConfigProblem, Finding, Path } from './problem.ts';
import { referenceFindings } from './references.ts';
import { schemaFindings } from './schema-findings.ts';
import { configSchema } from './schema.ts';
import { resolveSecrets, type SecretSource } from './secrets.ts';
import { type RawMap, YamlSource } from './yaml-source.ts';

export interface ConfigSource extends SecretSource {
  readonly text: string;
  /** Name for messages. */
  readonly file: string;
  /** Makes a path of the file absolute; without it paths stay as they are. */
  readonly resolvePath?: (path: string) => string;
}

export type LoadedConfig =
  | {
      readonly type: 'config';
      readonly config: Config;
      readonly file: string;
      readonly text: string;
      /** 1-based line of a path of the file, for the linter; `undefined` when nothing of it is written. */
      readonly lineOf: (path: Path) => number | undefined;
      /** The same with the column, 1-based as well. */
      readonly placeOf: (
        path: Path,
      ) => { readonly line: number; readonly column: number } | undefined;
      /** Places of unquoted scalars that other YAML programs would read as numbers. */
      readonly bareNumbers: readonly Path[];
      /** The file as it is written, before secrets were filled in. */
      readonly written: RawMap;
    }
  | {
      readonly type: 'invalid';
      readonly file: string;
      readonly problems: readonly ConfigProblem[];
    };

export type ValidConfig = Extract<LoadedConfig, { type: 'config' }>;

const LOADED = new WeakMap<Config, ValidConfig>();

/** How `config` was loaded; `undefined` for one that was not made by `loadConfig`. */
export function loadedOf(config: Config): ValidConfig | undefined {
  const known = LOADED.get(config) ?? LATER.get(config)?.();
  if (known?.type !== 'config') return undefined;
  // What is in force counts, even where a secret file has changed meanwhile.
  const loaded = known.config === config ? known : { ...known, config };
  LOADED.set(config, loaded);
  return loaded;
}

const LATER = new WeakMap<Config, () => LoadedConfig>();
const SOURCES = new WeakMap<Config, WrittenConfig>();

/** The text of a configuration and the name of its file. */
export type WrittenConfig = Pick<ValidConfig, 'text' | 'file'>;

/** `config` came from another thread; `load` loads its text here, should anybody ask how it is written. */
export function loadedLater(
  config: Config,
  load: () => LoadedConfig,
  source?: WrittenConfig,
): void {
  LATER.set(config, load);
  if (source !== undefined) SOURCES.set(config, source);
}

/** What `config` was loaded from, without loading it; `undefined` for one that was not loaded. */
export function sourceOf(config: Config): WrittenConfig | undefined {
  return SOURCES.get(config) ?? LOADED.get(config);
}

export function loadConfig(source: ConfigSource): LoadedConfig {
  const yaml = new YamlSource(source.text);
  const { file } = source;
  if (!yaml.isReadable) return { type: 'invalid', file, problems: yaml.problems };
  const schema = knownSchema();
  const secrets = resolveSecrets(yaml.value, schema, source);
  const parsed = configSchema.safeParse(secrets.value, { reportInput: true });
  const findings: Finding[] = [...secrets.findings, ...referenceFindings(yaml.value)];
  if (!parsed.success) findings.push(...schemaFindings(parsed.error.issues, schema));
  const problems = [...yaml.problems, ...findings.map((finding) => yaml.locate(finding))];
  if (problems.length > 0 || !parsed.success) {
    const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return { type: 'invalid', file, problems: sorted };
  }
  const hash = createHash('sha256').update(source.text).digest('hex');
  const { featureKeys } = parsed.data;
  const provider = withOwnPath(featureKeys.provider, source);
  const keys = { ...featureKeys, provider };
  const config: Config = deepFreeze({ hash, ...parsed.data, featureKeys: keys });
  const loaded: ValidConfig = {
    type: 'config',
    config,
    file,
    text: source.text,
    lineOf: (path) => yaml.lineOf(path),
    placeOf: (path) => yaml.placeOf(path),
    bareNumbers: yaml.bareNumbers,
    written: yaml.value,
  };
  LOADED.set(config, loaded);
  return loaded;
}

/** A module lies beside the file that names it. */
function withOwnPath(
  provider: FeatureProviderConfig,
  { resolvePath }: ConfigSource,
): FeatureProviderConfig {
  if (provider.kind !== 'module' || resolvePath === undefined) return provider;
  return { ...provider, path: resolvePath(provider.path) };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
