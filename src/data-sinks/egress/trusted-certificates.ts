import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/** Since Node 22.15. */
const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => string[] };

/**
 * The certificate authorities trusted for endpoints: Node's defaults, those of NODE_EXTRA_CA_CERTS, and the operator's
 * own.
 * @param own PEM certificates
 * @returns undefined if `own` is empty: Node then uses its defaults without parsing
 */
export function trustedCertificates(own: readonly string[]): string[] | undefined {
  if (own.length === 0) return undefined;
  const defaults = getCACertificates?.('default') ?? [...tls.rootCertificates, ...extraCertificates()];
  return [...defaults, ...own];
}

/** The `ca` option of `tls` also replaces NODE_EXTRA_CA_CERTS, and Node before 22.15 has no way to list those. */
function extraCertificates(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (!file) return [];
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    // Node warned about it at startup and ignores it.
    return [];
  }
}
