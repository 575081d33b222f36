import ipaddr from 'ipaddr.js';

import type { NetworkPolicy } from './network-policy.js';

/** Longer URLs are refused. */
export const MAX_ENDPOINT_URL_LENGTH = 2048;

export const DEFAULT_ALLOWED_PORTS: readonly number[] = [443];

/** Host names and suffixes that never exist on the public internet. */
const PRIVATE_SUFFIXES =
  'localhost local internal localdomain home.arpa lan intranet corp svc cluster.local test invalid example onion'.split(
    ' ',
  );

/** The same text for every refused address: different texts would let a tenant map our network. */
export const ADDRESS_REFUSED_DETAIL = 'the address of this endpoint is not a public one';

/** A normalised endpoint URL. Nothing else of what the customer typed is used or stored. */
export interface EndpointUrl {
  readonly href: string;
  /** Scheme, host and port. A stored secret is bound to this origin. */
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
   * Set for plain http, an unusual port or a private name: allowed only if **every** address of the host lies in a
   * range that the operator opened. If the host is a name, the connector checks this after resolving it.
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
      /** Shown to the customer. */
      readonly detail: string;
      /** For the operator's log; null when there is nothing to add. */
      readonly operatorDetail: string | null;
    };

export interface EndpointUrlOptions {
  /** @default [443] */
  readonly allowedPorts?: readonly number[];
}

/** Parses and checks an endpoint URL, without resolving its name. */
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

  // A trailing dot means the same host, but does not match the name in a certificate.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  // Percent-encoding may have made it longer.
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

/** The problem with a URL outside the ranges that the operator opened, or null. */
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

/** Refuses what URL parsers accept but DNS does not: empty and overlong labels, `*`, `!`, `$`. */
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
