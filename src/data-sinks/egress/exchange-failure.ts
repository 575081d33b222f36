import { networkInterfaces } from 'node:os';
import { errors } from 'undici';

import type { ExchangeFailureCode } from '../domain/attempt-outcome.js';

/** Ends an exchange within this folder; `PushClient` turns it into a return value. */
export class ExchangeFailure extends Error {
  override readonly name = 'ExchangeFailure';

  /**
   * @param code stored with the attempt
   * @param operatorDetail for logs only
   */
  constructor(
    readonly code: ExchangeFailureCode,
    readonly operatorDetail: string,
  ) {
    super(`${code}: ${operatorDetail}`);
  }
}

/** The last two: the name cannot be a DNS name. */
const NAME_NOT_FOUND = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'EAI_NONAME', 'EAI_NODATA', 'EBADNAME', 'EINVAL']);

/** What a working resolver reports when a name's own servers are broken; or it times out. */
const MAY_BE_THE_NAMES = new Set([
  'ESERVFAIL',
  'EREFUSED',
  'EFORMERR',
  'ENOTIMP',
  'EBADRESP',
  'ETIMEOUT',
  'EAI_AGAIN',
  'EAI_FAIL',
]);

/**
 * Classifies a resolver error. A name that does not exist, or that fails while other names resolve, is the customer's
 * failure. Anything else is a failure of our resolver.
 * @param isTheNamesOwn called if only the results for other names can tell (`LookupRecord`)
 */
export function failureOfLookup(error: unknown, hostname: string, isTheNamesOwn: () => boolean): ExchangeFailure {
  const code = codeOf(error);
  const theirs = NAME_NOT_FOUND.has(code) || (MAY_BE_THE_NAMES.has(code) && isTheNamesOwn());
  const found = theirs ? 'dns_not_found' : 'resolver_unavailable';
  return new ExchangeFailure(found, `looking up ${hostname}: ${describe(error)}`);
}

const NETWORK_FAILURES: Readonly<Record<string, ExchangeFailureCode>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  ECONNABORTED: 'connection_reset',
  EPIPE: 'connection_reset',
  ETIMEDOUT: 'connect_timeout',
  EHOSTUNREACH: 'host_unreachable',
  EHOSTDOWN: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  ENETDOWN: 'host_unreachable',
  // A firewall of the host rejects these addresses.
  EACCES: 'host_unreachable',
  EPERM: 'host_unreachable',
};

/** System errors for an exhausted resource of this process or machine. They use no retry. */
const OURS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** A machine without IPv6 cannot reach such an address. That is its configuration, not an exhausted resource. */
const WITHOUT_IPV6 = new Set(['EAFNOSUPPORT', 'ENETUNREACH']);

/**
 * Classifies the errors of several addresses. Errors of addresses that this machine can route to take precedence.
 * @param hasIPv6 called only for EADDRNOTAVAIL: no local address, or no free port
 * @throws the error itself when it is a failure on our side
 */
export function failureOfConnect(error: unknown, hasIPv6: () => boolean = machineHasIPv6): ExchangeFailure {
  const all = errorsOf(error);
  const ofIPv6 = all.filter(isOfIPv6);
  const isWithout = ofIPv6.some((one) => WITHOUT_IPV6.has(codeOf(one)));
  const hasNoWay = (one: unknown): boolean =>
    WITHOUT_IPV6.has(codeOf(one)) || (codeOf(one) === 'EADDRNOTAVAIL' && (isWithout || !hasIPv6()));
  const tried = all.filter((one) => !(ofIPv6.includes(one) && hasNoWay(one)));
  const theirs = tried.filter((one) => !OURS.has(codeOf(one)));
  if (tried.length > 0 && theirs.length === 0) throw error;
  const failures = theirs.map((one) => NETWORK_FAILURES[codeOf(one)] ?? 'network_error');
  const telling = failures.find((failure) => failure !== 'host_unreachable') ?? 'host_unreachable';
  return new ExchangeFailure(telling, `connecting: ${describe(error)}`);
}

/** Whether the machine has an IPv6 address other than loopback. */
function machineHasIPv6(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return addresses.some(({ family, internal }) => family === 'IPv6' && !internal);
}

/** The errors of each address. Checked by shape, because the error may come from another realm. */
function errorsOf(error: unknown): readonly unknown[] {
  const inner = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  return Array.isArray(inner) && inner.length > 0 ? (inner as readonly unknown[]) : [error];
}

function isOfIPv6(error: unknown): boolean {
  const address = typeof error === 'object' && error !== null && 'address' in error ? error.address : undefined;
  return typeof address === 'string' && address.includes(':');
}

const TLS_FAILURES: Readonly<Record<string, ExchangeFailureCode>> = {
  ECONNRESET: 'tls_handshake_cut',
  ECONNABORTED: 'tls_handshake_cut',
  EPIPE: 'tls_handshake_cut',
  ETIMEDOUT: 'tls_timeout',
  CERT_HAS_EXPIRED: 'tls_certificate_expired',
  CERT_NOT_YET_VALID: 'tls_certificate_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_wrong_host',
  HOSTNAME_MISMATCH: 'tls_wrong_host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_self_signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted_certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted_certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted_certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted_certificate',
  CERT_CHAIN_TOO_LONG: 'tls_untrusted_certificate',
  CERT_REJECTED: 'tls_untrusted_certificate',
  CERT_REVOKED: 'tls_untrusted_certificate',
  CERT_SIGNATURE_FAILURE: 'tls_untrusted_certificate',
  CERT_UNTRUSTED: 'tls_untrusted_certificate',
  INVALID_CA: 'tls_untrusted_certificate',
  INVALID_PURPOSE: 'tls_untrusted_certificate',
  PATH_LENGTH_EXCEEDED: 'tls_untrusted_certificate',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_old_protocol',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls_old_protocol',
};

export function failureOfTls(error: unknown): ExchangeFailure {
  return new ExchangeFailure(TLS_FAILURES[codeOf(error)] ?? 'tls_error', `TLS: ${describe(error)}`);
}

/**
 * Classifies a failure after connecting and before any response.
 * @param uploaded whether the whole body had been sent
 * @param endedByPeer whether the peer closed the connection in order
 */
export function failureOfExchange(error: unknown, uploaded: boolean, endedByPeer: boolean): ExchangeFailure {
  // undici's parser errors have no code.
  const malformed = error instanceof errors.HTTPParserError;
  const code = malformed ? 'invalid_http_response' : codeOfExchange(codeOf(error), uploaded, endedByPeer);
  return new ExchangeFailure(code, describe(error));
}

function codeOfExchange(code: string, uploaded: boolean, endedByPeer: boolean): ExchangeFailureCode {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'response_headers_too_large';
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'invalid_http_response';
  if (code.startsWith('ERR_SSL_')) return 'tls_error';
  // undici uses this code both when the peer closed and when it sent invalid HTTP.
  if (code === 'UND_ERR_SOCKET' && !endedByPeer) return 'invalid_http_response';
  const failure = code === 'UND_ERR_SOCKET' ? 'connection_reset' : (NETWORK_FAILURES[code] ?? 'network_error');
  return failure === 'connection_reset' && !uploaded ? 'upload_aborted_by_peer' : failure;
}

export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function describe(error: unknown): string {
  const inner = errorsOf(error);
  if (inner.length > 1 || inner[0] !== error) return inner.map(describe).join('; ');
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
