/** Reads the configuration file the operator means and loads it. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readEnvironment } from './environment.ts';
import { type ConfigSource, loadConfig, type LoadedConfig } from './load.ts';

export const DEFAULT_FILE = 'config/sbc.yaml';

/** Stands for the file name where the text came in SBC_CONFIG_BODY. */
export const BODY_NAME = 'SBC_CONFIG_BODY';

/**
 * Loads, in this order of preference: `file` as given, the file named by SBC_CONFIG_FILE, the text in SBC_CONFIG_BODY,
 * config/sbc.yaml below the current directory. A file that cannot be read is an invalid configuration with one problem.
 */
export function loadConfigFile(file?: string, env = readEnvironment()): LoadedConfig {
  const body = env[BODY_NAME];
  const named = file ?? env['SBC_CONFIG_FILE'];
  if (named === undefined && body !== undefined) {
    return loadConfig({ text: body, file: BODY_NAME, env, ...filesOf('.') });
  }
  const path = named ?? DEFAULT_FILE;
  try {
    const text = readFileSync(path, 'utf8');
    return loadConfig({ text, file: path, env, ...filesOf(dirname(path)) });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const problem = { line: 1, column: 1, path: '', message: `cannot be read: ${error.message}` };
    return { type: 'invalid', file: path, problems: [problem] };
  }
}

/** Secret files and modules are named relative to the configuration file. */
function filesOf(folder: string): Pick<ConfigSource, 'readSecretFile' | 'resolvePath'> {
  const resolvePath = (path: string): string => resolve(folder, path);
  return { resolvePath, readSecretFile: (path) => readFileSync(resolvePath(path), 'utf8') };
}
