/** Rules about files that are written and read; they look at folders and files, as those of lint-tls.ts do. */
import type { Config } from './config.ts';
import { servesFeatureKeys } from './feature-keys-mode.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { readSmallFile } from './small-file.ts';
import { obstacleTo } from './writable-file.ts';

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
  const message = obstacleTo(store.file);
  return message === undefined ? [] : [{ path: ['feature-keys', ...store.path], message }];
}

function unwritableRecords({ cdr }: Config): RuleFinding[] {
  const message = cdr.file === '' ? undefined : obstacleTo(cdr.file);
  return message === undefined ? [] : [{ path: ['cdr', 'file'], message }];
}

function unusableModule(config: Config): RuleFinding[] {
  const { provider } = config.featureKeys;
  if (provider.kind !== 'module' || !servesFeatureKeys(config)) return [];
  const path = ['feature-keys', 'provider', 'path'];
  let text: string;
  try {
    text = readSmallFile(provider.path);
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
    code: 'cdr-folder',
    severity: 'warning',
    explanation: 'Call records would be lost. Name a file that the SBC may create and write.',
    find: unwritableRecords,
  },
  {
    code: 'feature-module',
    severity: 'error',
    explanation: 'The SBC does not start without get and set. Export both from the file.',
    find: unusableModule,
  },
];
