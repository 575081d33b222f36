import type { DeliveryTrigger } from './trigger.js';

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

/** Why reading the response body stopped: end of body, the 16 KB cap, the deadline, or a closed connection. */
export const ANSWER_ENDINGS = ['complete', 'cap', 'deadline', 'cut'] as const;
export type AnswerEnding = (typeof ANSWER_ENDINGS)[number];

/** Duration of each phase of an attempt in whole milliseconds; null for a phase that was not reached or not needed. */
export interface AttemptTimings {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  readonly uploadMs: number | null;
  readonly waitMs: number | null;
  readonly totalMs: number;
}

/** What came back. */
export interface ExchangeAnswer {
  readonly httpStatus: number;
  /** As received, in order; at most 64 KB in all. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first 16 KB of the body as text. Whoever shows it escapes it. */
  readonly excerpt: string;
  readonly ending: AnswerEnding;
}

/**
 * What became of an object.
 * - `written`, `already_there`: it is there, with these bytes
 * - `already_there_uncompared`: it is there, and an attempt before had sent all of it and heard no answer
 * - `sent`: all bytes left, and no answer came
 * - `not_written`: nothing is known to be there
 */
export type ObjectStatus = 'written' | 'already_there' | 'already_there_uncompared' | 'sent' | 'not_written';

/** One object of an attempt: an entry of `manifest_json`. */
export interface ManifestEntry {
  readonly key: string;
  readonly size: number;
  readonly status: ObjectStatus;
  /** Lower-case hex. */
  readonly sha256: string;
  /** As the store gave it, without its quotes; null when it did not. */
  readonly etag: string | null;
}

/** One POST, as the record keeps it (table `agent_data_source_sync`). */
export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  readonly dataSourceId: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly jobId: string;
  /** From 1; continues across redeliveries. */
  readonly attemptNumber: number;
  readonly trigger: DeliveryTrigger;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  /** Snapshot of the configuration used. Never contains the secret. */
  readonly url: string;
  readonly authScheme: string;
  readonly configVersion: number;
  readonly payloadSha256: string;
  readonly payloadBytes: number;
  /** The full id of the worker process, for operators. Customers see its `workerNumber`. */
  readonly workerId: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly timings: AttemptTimings | null;
  /** The first 16 KB of the response body as text. Invalid UTF-8 and NUL become U+FFFD. */
  readonly answerExcerpt: string | null;
  readonly answerEnding: AnswerEnding | null;
  /** Of types of sinks that write objects; null for others. */
  readonly manifest: readonly ManifestEntry[] | null;
}

/** What only a store of objects says. */
export const BUCKET_ERROR_CODES = [
  'bucket_access_denied',
  'bucket_keys_refused',
  'bucket_session_expired',
  'bucket_not_found',
  'bucket_in_other_region',
  'bucket_slow_down',
  'bucket_conflict',
  'bucket_upload_gone',
  'bucket_unsupported',
  'body_damaged',
  'clock_skewed',
  'condition_ignored',
  'object_exists',
  'object_differs',
] as const;

/** What only a role does that a sink writes with, or whom we ask for its sessions. */
export const ROLE_ERROR_CODES = [
  'role_denied',
  'role_without_external_id',
  'role_session_refused',
  'role_region_disabled',
  'role_throttled',
  'role_service_unavailable',
  'role_credentials_refused',
] as const;

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
  'stale_connection',
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
  ...BUCKET_ERROR_CODES,
  ...ROLE_ERROR_CODES,
] as const;
export type AttemptErrorCode = (typeof ATTEMPT_ERROR_CODES)[number];
