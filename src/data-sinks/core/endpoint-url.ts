import ipaddr from 'ipaddr.js';

import type { NetworkPolicy } from './network-policy.js';

/** Longer URLs are refused. */
export const MAX_ENDPOINT_URL_LENGTH = 2048;

export const DEFAULT_ALLOWED_PORTS: readonly number[] = [443];

/** Names that never mean a host on the internet. */
const PRIVATE_SUFFIXES =
  'localhost local internal localdomain home.arpa lan intranet corp svc cluster.local test invalid example onion'.split(
    ' ',
  );

/** Told for every refused address alike: the difference between two of them would map the inside of our network. */
export const ADDRESS_REFUSED_DETAIL = 'the address of this endpoint is not a public one';

/** An endpoint's URL in the form that the parser gave it; nothing else of what the customer typed is used or stored. */
export interface EndpointUrl {
  readonly href: string;
  /** Scheme, host and port: what a stored secret is bound to. */
  readonly origin: string;
  readonly scheme: 'https' | 'http';
  /** Host and port as in the `Host` header. */
  readonly host: string;
  /** Name to resolve, or the address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Path and query. */
  readonly target: string;
  readonly isIpLiteral: boolean;
  /**
   * Plain http, an unusual port or a private name: fine only if **every** address of the host lies in a range that the
   * operator opened. Where the host is a name, the connection step has to enforce it.
   */
  readonly onlyOpenedRanges: boolean;
}

export const ENDPOINT_URL_REFUSALS = [
  'too_long',
  'malformed',
  'scheme_not_https',
  'user_info',
  'fragment',
  'port_not_allowed',
  'private_name',
  'address_refused',
] as const;
export type EndpointUrlRefusal = (typeof ENDPOINT_URL_REFUSALS)[number];

export type EndpointUrlResult =
  | { readonly ok: true; readonly url: EndpointUrl }
  | {
      readonly ok: false;
      readonly code: EndpointUrlRefusal;
      /** For the customer. */
      readonly detail: string;
      /** For the operator's log; null when there is nothing to add. */
      readonly operatorDetail: string | null;
    };

export interface EndpointUrlOptions {
  /** @default [443] */
  readonly allowedPorts?: readonly number[];
}

/** Reads and judges the URL that a customer typed, as far as that is possible without resolving its name. */
export function parseEndpointUrl(
  text: string,
  policy: NetworkPolicy,
  { allowedPorts = DEFAULT_ALLOWED_PORTS }: EndpointUrlOptions = {},
): EndpointUrlResult {
  if (text.length > MAX_ENDPOINT_URL_LENGTH) {
    return refuse('too_long', `must be at most ${MAX_ENDPOINT_URL_LENGTH} characters long`);
  }
  const url = tryParse(text);
  if (!url) return refuse('malformed', 'must be a URL like https://example.com/mapping-results');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return refuse('scheme_not_https', 'must begin with https://');
  if (url.username !== '' || url.password !== '') {
    return refuse('user_info', 'must not contain a user name or password; give it as the secret');
  }
  if (url.href.includes('#')) return refuse('fragment', 'must not contain a fragment (#…), which is never sent');

  // The dot of a fully qualified name: the same host, but not the same text in a certificate.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  // Percent-encoding may make it longer than what was typed.
  if (url.href.length > MAX_ENDPOINT_URL_LENGTH) {
    return refuse('too_long', `must be at most ${MAX_ENDPOINT_URL_LENGTH} characters long`);
  }
  return judge(url, policy, allowedPorts);
}

function judge(url: URL, policy: NetworkPolicy, allowedPorts: readonly number[]): EndpointUrlResult {
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const isIpLiteral = hostname.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(hostname);
  if (!isIpLiteral && !isHostname(hostname)) return refuse('malformed', 'must name a valid host');

  const verdict = isIpLiteral ? policy.judgeAddress(hostname) : null;
  if (verdict?.kind === 'refused') return refuse('address_refused', ADDRESS_REFUSED_DETAIL, verdict.reason);

  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  const condition = conditionOf(scheme, port, isIpLiteral ? null : hostname, allowedPorts);
  const mayBeOpened = verdict === null ? policy.opensAny : verdict.kind === 'opened';
  if (condition && !mayBeOpened) return condition;
  return {
    ok: true,
    url: {
      href: url.href,
      origin: url.origin,
      scheme,
      host: url.host,
      hostname,
      port,
      target: `${url.pathname}${url.search}`,
      isIpLiteral,
      onlyOpenedRanges: condition !== null,
    },
  };
}

/** What would be refused outside the ranges that the operator opened, or null. */
function conditionOf(
  scheme: 'https' | 'http',
  port: number,
  hostname: string | null,
  allowedPorts: readonly number[],
): (EndpointUrlResult & { ok: false }) | null {
  if (scheme === 'http') return refuse('scheme_not_https', 'must begin with https://');
  if (!allowedPorts.includes(port)) return refuse('port_not_allowed', `must use port ${allowedPorts.join(' or ')}`);
  if (hostname !== null && isPrivateName(hostname)) {
    return refuse('private_name', 'must name a host on the public internet');
  }
  return null;
}

function isPrivateName(name: string): boolean {
  return !name.includes('.') || PRIVATE_SUFFIXES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/** URL parsers let pass what no resolver should be asked: empty and overlong labels, `*`, `!`, `$`. */
function isHostname(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
}

function tryParse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function refuse(
  code: EndpointUrlRefusal,
  detail: string,
  operatorDetail: string | null = null,
): EndpointUrlResult & { ok: false } {
  return { ok: false, code, detail, operatorDetail };
}
