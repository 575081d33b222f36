import type { AuthScheme } from './data-sink.js';
import type { DeliveryTrigger } from './delivery.js';

export const ATTEMPT_STATUSES = [
  'IN_FLIGHT',
  'SUCCEEDED',
  'HTTP_4XX',
  'HTTP_5XX',
  'HTTP_3XX',
  'TIMEOUT',
  'NETWORK_ERROR',
  'TLS_ERROR',
  'BLOCKED',
  'ABANDONED',
] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** What ended the reading of an answer's body: it was whole, the 16 KB cap, the deadline, or a cut connection. */
export const ANSWER_ENDINGS = ['complete', 'cap', 'deadline', 'cut'] as const;
export type AnswerEnding = (typeof ANSWER_ENDINGS)[number];

/** How long each part of an attempt took, in whole milliseconds; null where it was not reached or not needed. */
export interface AttemptTimings {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  readonly uploadMs: number | null;
  readonly waitMs: number | null;
  readonly totalMs: number;
}

/** One POST, as the record keeps it (table `agent_data_source_sync`). */
export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  readonly dataSourceId: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly jobId: string;
  /** From 1; goes on through redeliveries. */
  readonly attemptNumber: number;
  readonly trigger: DeliveryTrigger;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  /** Snapshot of where and how it was sent. Never the secret. */
  readonly url: string;
  readonly authScheme: AuthScheme;
  readonly configVersion: number;
  readonly payloadSha256: string;
  readonly payloadBytes: number;
  readonly workerId: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly timings: AttemptTimings | null;
  /** The first 16 KB of the answer's body as text; what is not UTF-8 or is NUL appears as U+FFFD. */
  readonly answerExcerpt: string | null;
  readonly answerEnding: AnswerEnding | null;
}

/** The closed list of reasons why an attempt did not succeed. `docs/errors.md` says what each means and what to do. */
export const ATTEMPT_ERROR_CODES = [
  'rejected_by_receiver',
  'receiver_error',
  'redirect_refused',
  'dns_timeout',
  'connect_timeout',
  'tls_timeout',
  'upload_stalled',
  'response_timeout',
  'dns_not_found',
  'resolver_unavailable',
  'connection_refused',
  'connection_reset',
  'host_unreachable',
  'upload_aborted_by_peer',
  'invalid_http_response',
  'response_headers_too_large',
  'network_error',
  'tls_handshake_cut',
  'tls_certificate_expired',
  'tls_wrong_host',
  'tls_self_signed',
  'tls_untrusted_certificate',
  'tls_old_protocol',
  'tls_error',
  'url_refused',
  'address_refused',
  'worker_lost',
  'shutdown',
  'internal_error',
] as const;
export type AttemptErrorCode = (typeof ATTEMPT_ERROR_CODES)[number];
