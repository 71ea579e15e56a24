/** Rules about TLS: the files it needs, the only rules that read files, and checks that are switched off. */
import type { Config, TlsConfig } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { readTlsFiles, validityOf } from './tls-files.ts';

/** A certificate that ends so soon should be replaced. */
const RENEWAL_MS = 14 * 24 * 60 * 60 * 1000;

function forEachTls(
  config: Config,
  find: (tls: TlsConfig, name: string) => { key: string; message: string } | undefined,
): RuleFinding[] {
  return config.sipInterfaces.flatMap(({ name, sipPorts, tls }, index) => {
    if (tls === undefined || !sipPorts.some(({ transport }) => transport === 'tls')) return [];
    const found = find(tls, name);
    if (found === undefined) return [];
    const { key, message } = found;
    return [{ path: ['sip-interfaces', index, 'tls', ...(key === '' ? [] : [key])], message }];
  });
}

function unusableFiles(config: Config): RuleFinding[] {
  if (config.sip.engine !== 'embedded') return [];
  return forEachTls(config, (tls) => {
    try {
      readTlsFiles(tls);
      return undefined;
    } catch (error) {
      return { key: '', message: error instanceof Error ? error.message : String(error) };
    }
  });
}

function endingCertificates(config: Config): RuleFinding[] {
  const nowMs = Date.now();
  return forEachTls(config, (tls) => {
    const validity = validityIn(tls);
    if (validity === undefined) return undefined;
    const { fromMs, toMs } = validity;
    if (fromMs <= nowMs && toMs > nowMs + RENEWAL_MS) return undefined;
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
    const message = `the certificate ${tls.certificate} is valid from ${from} to ${to}`;
    return { key: 'certificate', message };
  });
}

function validityIn(tls: TlsConfig): ReturnType<typeof validityOf> | undefined {
  try {
    return validityOf(readTlsFiles(tls).certificate);
  } catch {
    return undefined;
  }
}

function uncheckedServers(config: Config): RuleFinding[] {
  return forEachTls(config, ({ verify }, name) =>
    verify === 'none'
      ? { key: 'verify', message: `"${name}" sends calls to servers that prove nothing` }
      : undefined,
  );
}

function anyonesClients(config: Config): RuleFinding[] {
  return forEachTls(config, ({ clientCertificates, ca }, name) =>
    clientCertificates === 'required' && ca === undefined
      ? { key: 'client-certificates', message: `"${name}" takes certificates of every public CA` }
      : undefined,
  );
}

export const TLS_RULES: readonly LintRule[] = [
  {
    code: 'tls-files',
    severity: 'error',
    explanation: 'The SBC does not start without a certificate and the key that belongs to it.',
    find: unusableFiles,
  },
  {
    code: 'tls-certificate-ends',
    severity: 'warning',
    explanation: 'Peers refuse a certificate outside its time. Replace the file and reload.',
    find: endingCertificates,
  },
  {
    code: 'tls-unverified',
    severity: 'warning',
    explanation:
      'Whoever stands between us and the server can take its place. Name its authority under ca instead.',
    find: uncheckedServers,
  },
  {
    code: 'tls-any-client',
    severity: 'warning',
    explanation: 'A certificate that anybody can buy admits nobody in particular. Set ca.',
    find: anyonesClients,
  },
];
