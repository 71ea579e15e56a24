/** Reads the configuration file the operator means and loads it. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readEnvironment } from './environment.ts';
import { type ConfigSource, loadConfig, type LoadedConfig } from './load.ts';
import { readSmallFile } from './small-file.ts';

export const DEFAULT_FILE = 'config/sbc.yaml';

/** Stands for the file name where the text came in SBC_CONFIG_BODY. */
export const BODY_NAME = 'SBC_CONFIG_BODY';

/**
 * Loads, in this order of preference: `file` as given, the file named by SBC_CONFIG_FILE, the text in SBC_CONFIG_BODY,
 * config/sbc.yaml below the current directory. A file that cannot be read is an invalid configuration with one problem.
 */
export function loadConfigFile(file?: string, env = readEnvironment()): LoadedConfig {
  const path = configPath(file, env);
  if (path === undefined) {
    return loadConfig({ text: env[BODY_NAME] ?? '', file: BODY_NAME, env, ...filesOf('.') });
  }
  try {
    const text = readFileSync(path, 'utf8');
    return loadConfig({ text, file: path, env, ...filesOf(dirname(path)) });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const problem = { line: 1, column: 1, path: '', message: `cannot be read: ${error.message}` };
    return { type: 'invalid', file: path, problems: [problem] };
  }
}

/** Loads `text` as if it stood in the file that `loadConfigFile` would read. */
export function loadConfigText(text: string, file?: string, env = readEnvironment()): LoadedConfig {
  const path = configPath(file, env);
  return loadConfig({ text, file: 'request', env, ...filesOf(dirname(path ?? '.')) });
}

/** The whole path of the file that was loaded; `undefined` where it came in SBC_CONFIG_BODY. */
export function pathOfLoaded({ file }: Pick<LoadedConfig, 'file'>): string | undefined {
  return file === BODY_NAME ? undefined : resolve(file);
}

/** `undefined`: the configuration is in SBC_CONFIG_BODY. */
function configPath(
  file: string | undefined,
  env: ReturnType<typeof readEnvironment>,
): string | undefined {
  const named = file ?? env['SBC_CONFIG_FILE'];
  if (named !== undefined) return named;
  return env[BODY_NAME] === undefined ? DEFAULT_FILE : undefined;
}

/** Secret files and modules are named relative to the configuration file. */
function filesOf(folder: string): Pick<ConfigSource, 'readSecretFile' | 'resolvePath'> {
  const resolvePath = (path: string): string => resolve(folder, path);
  return { resolvePath, readSecretFile: (path) => readSmallFile(resolvePath(path)) };
}
