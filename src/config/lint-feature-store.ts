/** Rules about where feature keys are stored; they look at folders and files, as those of lint-tls.ts do. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from './config.ts';
import { servesFeatureKeys } from './feature-keys-mode.ts';
import type { LintRule, RuleFinding } from './lint.ts';

type Access = 'usable' | 'missing' | 'locked';

/** The SQLite file that is used, with the key that names it. */
function storeFile({ provider, history }: Config['featureKeys']):
  | {
      readonly path: readonly string[];
      readonly file: string;
    }
  | undefined {
  if (provider.kind === 'sqlite') return { path: ['provider', 'file'], file: provider.file };
  if (provider.kind === 'postgres') return undefined;
  return { path: ['history', 'file'], file: history.file };
}

function unwritableStore(config: Config): RuleFinding[] {
  const store = servesFeatureKeys(config) ? storeFile(config.featureKeys) : undefined;
  if (store === undefined || store.file === ':memory:') return [];
  const file = resolve(store.file);
  const path = ['feature-keys', ...store.path];
  if (isFolder(file)) return [{ path, message: `${store.file} is a folder` }];
  if (accessTo(file, constants.R_OK | constants.W_OK) === 'locked') {
    return [{ path, message: `${store.file} cannot be read and written` }];
  }
  const folder = nearestFolder(dirname(file));
  if (!isFolder(folder)) return [{ path, message: `${folder} is no folder` }];
  return accessTo(folder, constants.W_OK | constants.X_OK) === 'usable'
    ? []
    : [{ path, message: `the folder ${folder} cannot be written` }];
}

/** Missing folders are made at the start: what counts is where they are made. */
function nearestFolder(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || accessTo(folder, constants.F_OK) !== 'missing'
    ? folder
    : nearestFolder(parent);
}

function accessTo(path: string, mode: number): Access {
  try {
    accessSync(path, mode);
    return 'usable';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'locked';
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function unusableModule(config: Config): RuleFinding[] {
  const { provider } = config.featureKeys;
  if (provider.kind !== 'module' || !servesFeatureKeys(config)) return [];
  const path = ['feature-keys', 'provider', 'path'];
  let text: string;
  try {
    text = readFileSync(provider.path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ path, message: `${provider.path} cannot be read: ${reason}` }];
  }
  const missing = ['get', 'set'].filter((name) => !mentionsExport(text, name));
  if (missing.length === 0) return [];
  return [{ path, message: `${provider.path} exports no ${missing.join(' and no ')}` }];
}

/** Looks at the text only: a linter runs nothing. `export *` may bring anything. */
function mentionsExport(text: string, name: string): boolean {
  const forms = [
    `export\\s+(?:async\\s+)?function\\s*\\*?\\s*${name}\\b`,
    `export\\s+(?:const|let|var)\\s+${name}\\b`,
    `export\\s*\\{[^}]*\\b${name}\\b[^}]*\\}`,
    `export\\s+(?:const|let|var)\\s*\\{[^}]*\\b${name}\\b`,
    `exports\\.${name}\\b`,
    `module\\.exports\\s*=`,
    `export\\s*\\*`,
  ];
  return forms.some((form) => new RegExp(form).test(text));
}

export const FEATURE_STORE_RULES: readonly LintRule[] = [
  {
    code: 'feature-store-folder',
    severity: 'error',
    explanation: 'The SBC does not start without its store. Name a file it may create and write.',
    find: unwritableStore,
  },
  {
    code: 'feature-module',
    severity: 'error',
    explanation: 'The SBC does not start without get and set. Export both from the file.',
    find: unusableModule,
  },
];
