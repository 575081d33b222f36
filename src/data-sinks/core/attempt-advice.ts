import type { AttemptErrorCode } from './attempt.js';

/** The step of an exchange at which it failed. */
export const EXCHANGE_STEPS = ['url', 'dns', 'address', 'connect', 'tls', 'request', 'response', 'ours'] as const;
export type ExchangeStep = (typeof EXCHANGE_STEPS)[number];

export interface AttemptAdvice {
  readonly step: ExchangeStep;
  /** What happened and what to do about it, for the customer. Names no address: it must not map anybody's network. */
  readonly advice: string;
}

/** Every error code, explained. `docs/errors.md` repeats this table; a test compares the two. */
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
    advice: 'The headers of the answer are larger than 16 KB. Send fewer.',
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
};

const CONTENT_TOO_LARGE = 413;

/**
 * The explanation of one failed attempt: that of its code, or a closer one where the answer says what is wrong.
 * @param sent what the attempt sent and was answered with
 */
export function adviceOn(
  code: AttemptErrorCode,
  { httpStatus, bytes }: { readonly httpStatus: number | null; readonly bytes: number },
): AttemptAdvice {
  const general = ATTEMPT_ADVICE[code];
  if (httpStatus !== CONTENT_TOO_LARGE) return general;
  return {
    ...general,
    advice: `Your endpoint answered 413: a body of ${bytes.toLocaleString('en-US')} bytes is too large for it. Raise the limit of your server and of every proxy before it, then redeliver. Or set config.maxRowsPerPush, so that later jobs come in parts of so many rows, or config.compression.`,
  };
}
