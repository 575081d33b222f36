import type { AttemptErrorCode } from './attempt.js';
import { isFirewall } from './firewall-answer.js';
import { ROLE_ADVICE } from './role-advice.js';

/** The step of an exchange at which it failed. */
export const EXCHANGE_STEPS = [
  'url',
  'dns',
  'address',
  'connect',
  'tls',
  'credentials',
  'region',
  'bucket',
  'write',
  'condition',
  'request',
  'response',
  'ours',
] as const;
export type ExchangeStep = (typeof EXCHANGE_STEPS)[number];

export interface AttemptAdvice {
  readonly step: ExchangeStep;
  /**
   * Tells the customer what happened and what to do. Must not name an address: that would reveal our internal network.
   */
  readonly advice: string;
}

/** Explains every error code. `docs/errors.md` repeats this table; a test compares the two. */
export const ATTEMPT_ADVICE: Readonly<Record<AttemptErrorCode, AttemptAdvice>> = {
  rejected_by_receiver: {
    step: 'response',
    advice:
      'Your endpoint answered with a 4xx status, which means no: it is not tried again. Check the path, the credentials and the largest body your server accepts, then redeliver.',
  },
  receiver_error: {
    step: 'response',
    advice: 'Your endpoint answered with a 5xx status. Look into its log at the time of the attempt.',
  },
  redirect_refused: {
    step: 'response',
    advice: 'Your endpoint answered with a redirect. Redirects are never followed: enter the final address.',
  },
  dns_timeout: {
    step: 'dns',
    advice: 'The name of your endpoint could not be resolved in time. Check its DNS servers.',
  },
  dns_not_found: {
    step: 'dns',
    advice:
      'The name of your endpoint has no address, or its DNS servers do not tell it. Check its spelling, its DNS records and those servers.',
  },
  resolver_unavailable: {
    step: 'ours',
    advice:
      'We were not told the address of your endpoint. It costs you no retry, and it is tried again. If it goes on, look at the DNS servers of its name.',
  },
  url_refused: {
    step: 'url',
    advice: 'This URL is not one that results may be sent to. Use https and a public host name.',
  },
  address_refused: {
    step: 'address',
    advice:
      'The address of this endpoint is not one that results may be sent to. Use a host with public addresses only.',
  },
  connect_timeout: {
    step: 'connect',
    advice: 'No connection could be made in time. Check that the server runs and that its firewall lets us in.',
  },
  connection_refused: {
    step: 'connect',
    advice: 'The server refused the connection. Check that it listens on this port.',
  },
  host_unreachable: { step: 'connect', advice: 'There is no way to the server. Check its address and its routing.' },
  tls_timeout: {
    step: 'tls',
    advice: 'The TLS handshake was not finished in time. Check the server’s load and its TLS setup.',
  },
  tls_handshake_cut: {
    step: 'tls',
    advice: 'The server closed the connection during the TLS handshake. Check that this port speaks TLS.',
  },
  tls_certificate_expired: { step: 'tls', advice: 'The server’s certificate has expired. Renew it.' },
  tls_wrong_host: { step: 'tls', advice: 'The server’s certificate is for another name. Install one for this host.' },
  tls_self_signed: { step: 'tls', advice: 'The server’s certificate is self-signed. Use one from a public authority.' },
  tls_untrusted_certificate: {
    step: 'tls',
    advice: 'The server’s certificate does not lead to a known authority. Install the whole chain.',
  },
  tls_old_protocol: { step: 'tls', advice: 'The server does not speak TLS 1.2 or newer. Enable it.' },
  tls_error: { step: 'tls', advice: 'The TLS handshake failed. Check the server’s TLS setup.' },
  upload_stalled: {
    step: 'request',
    advice: 'The server stopped reading the body. Check that it reads request bodies to their end.',
  },
  upload_aborted_by_peer: {
    step: 'request',
    advice:
      'The server closed the connection in the middle of the body and gave no answer. The usual cause is a limit on body size, in the server or in a proxy before it.',
  },
  connection_reset: {
    step: 'request',
    advice: 'The connection was reset before an answer came. Look into the server’s log.',
  },
  stale_connection: {
    step: 'request',
    advice:
      'Your server closed a connection that was kept from an earlier push, as the next one was sent on it. It costs you no retry, and it is sent again at once on a fresh connection. If it goes on, have your server announce how long it keeps idle connections (Keep-Alive: timeout=…), or keep them for longer than 5 seconds.',
  },
  network_error: {
    step: 'request',
    advice: 'The network failed during the exchange. If it goes on, look at the server’s network.',
  },
  response_timeout: {
    step: 'response',
    advice: 'No answer came in time. Answer with a 2xx status first and do the work afterwards.',
  },
  invalid_http_response: {
    step: 'response',
    advice: 'What came back is not HTTP. Check that this port belongs to a web server.',
  },
  response_headers_too_large: {
    step: 'response',
    advice: 'The headers of the answer are larger than 64 KB. Send fewer.',
  },
  worker_lost: {
    step: 'ours',
    advice: 'Our process ended during this attempt. It costs you no retry; the same delivery may reach you twice.',
  },
  shutdown: {
    step: 'ours',
    advice:
      'Our process was stopped during this attempt. It costs you no retry; the same delivery may reach you twice.',
  },
  internal_error: {
    step: 'ours',
    advice: 'Something failed on our side. It costs you no retry, and it is tried again.',
  },
  bucket_access_denied: {
    step: 'write',
    advice:
      'The store does not let these keys write here. Allow s3:PutObject on the bucket’s objects below the prefix, and the use of its KMS key where it has one; look for a policy that denies it; check config.expectedBucketOwner.',
  },
  bucket_keys_refused: {
    step: 'credentials',
    advice:
      'The store does not know these keys, or their signature does not fit. Send accessKeyId and secretAccessKey again; check that they belong to this store and are not disabled.',
  },
  bucket_session_expired: {
    step: 'credentials',
    advice: 'The session that the keys belong to has ended. It is tried again; send keys that do not expire.',
  },
  bucket_not_found: {
    step: 'bucket',
    advice:
      'There is no bucket of this name. Check config.bucket and, for a store that is not AWS, config.endpointUrl.',
  },
  bucket_in_other_region: {
    step: 'region',
    advice: 'The bucket is in another region. Set config.region to it; redirects are never followed.',
  },
  bucket_slow_down: {
    step: 'response',
    advice: 'The store asks for fewer requests. It is tried again; config.maxPushesPerSecond keeps below its limit.',
  },
  bucket_conflict: {
    step: 'response',
    advice: 'Something else was writing or deleting the same object at this moment. It is tried again.',
  },
  bucket_upload_gone: {
    step: 'request',
    advice:
      'The upload in parts was ended by somebody else, a lifecycle rule perhaps, before it was complete. It is tried again.',
  },
  bucket_unsupported: {
    step: 'condition',
    advice:
      'The store does not know a header of this request. Take out config.storageClass and config.kmsKeyId; without If-None-Match results are not written, since a retry could overwrite.',
  },
  body_damaged: {
    step: 'request',
    advice: 'The bytes that arrived have another hash than those that were sent. It is tried again.',
  },
  clock_skewed: {
    step: 'ours',
    advice: 'The store’s clock and ours differ by too much. It costs you no retry, and it is tried again.',
  },
  condition_ignored: {
    step: 'condition',
    advice:
      'The store ignores If-None-Match: it overwrote an object that was there. A retry or a rerun could overwrite what you have; use a store, or a newer version of it, that keeps the condition.',
  },
  object_exists: {
    step: 'write',
    advice:
      'There is an object of this name already, and we may not look whether it is the same. Nothing was overwritten. Allow s3:GetObject below the prefix so that it can be compared, or move the object away, then redeliver.',
  },
  object_differs: {
    step: 'write',
    advice:
      'There is an object of this name already, with other contents. Nothing was overwritten. Move it away, then redeliver.',
  },
  ...ROLE_ADVICE,
};

/**
 * Explains a failed attempt: by its error code, or more precisely where the response says what is wrong.
 * @param sent the request of the attempt and its response
 */
export function adviceOn(
  code: AttemptErrorCode,
  {
    httpStatus,
    bytes,
    excerpt = null,
  }: { readonly httpStatus: number | null; readonly bytes: number; readonly excerpt?: string | null },
): AttemptAdvice {
  const general = ATTEMPT_ADVICE[code];
  if (isFirewall(httpStatus, excerpt)) {
    return {
      ...general,
      advice: `Your endpoint answered ${httpStatus} with the page of a web server or of a web application firewall, and not of an application: let pushes to this path through (content type, compression and size of the body), then redeliver. Stock ModSecurity rules refuse JSONL, CSV and gzip; uncompressed JSON passes.`,
    };
  }
  // Content Too Large.
  if (httpStatus !== 413) return general;
  return {
    ...general,
    advice: `Your endpoint answered 413: a body of ${bytes.toLocaleString('en-US')} bytes is too large for it. Raise the limit of your server and of every proxy before it, then redeliver. Or set config.maxRowsPerPush, so that later jobs come in parts of so many rows, or config.compression.`,
  };
}
