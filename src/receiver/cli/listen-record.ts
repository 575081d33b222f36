import type { PushFormat } from '../push-content.js';
import type { PushFacts, PushPart } from '../results-push.js';

/** The first line of `data-sinks listen --json`. */
export interface ListeningLine {
  /** The port; with `--port 0` the one that the system chose. */
  readonly listening: number;
}

/**
 * Every further line of `data-sinks listen --json`: one per request, written when it was answered or aborted. Members
 * are only ever added.
 */
export interface ListenRecord {
  /** Number of the request from 1, in order of arrival. */
  readonly request: number;
  /** When its headers arrived: RFC 3339, UTC, milliseconds. */
  readonly receivedAt: string;
  /** From its headers to the response, or to the end of the connection. */
  readonly durationMs: number;
  readonly method: string;
  /** Path and query as received. */
  readonly path: string;
  /** `X-MT-Delivery-Id`, else `webhook-id`. */
  readonly deliveryId: string | null;
  /** `X-MT-Attempt`. */
  readonly attempt: number | null;
  /** The response; null when the sender closed the connection first. */
  readonly status: number | null;
  /** Received bytes of the body. */
  readonly bytes: number;
  /** Of the received bytes, lower-case hex. */
  readonly sha256: string;
  /** Whether all checks passed; null when no secret, bearer or basic was given. */
  readonly signatureValid: boolean | null;
  /** The failed checks. */
  readonly problems: readonly ListenProblem[];
  /** Whether the bytes match `Content-Digest`; null without that header. */
  readonly contentDigestValid: boolean | null;
  /** By `Content-Type`; null when unknown. */
  readonly format: PushFormat | null;
  /** Whether the body was compressed; `bytes` and `sha256` refer to the compressed body. */
  readonly gzip: boolean;
  /** `X-MT-Part`. */
  readonly part: PushPart | null;
  /** Number of rows; null when the body is not a valid push. */
  readonly rows: number | null;
  /** The first row, as a sample; null if it is nested more than 100 deep. */
  readonly firstRow: unknown;
  /** Null when the body is not a valid push. */
  readonly facts: PushFacts | null;
  /** A `PayloadErrorCode`, or null. */
  readonly payloadError: string | null;
  /** Whether it was marked as synthetic, by a Test. */
  readonly test: boolean;
  /** Whether this delivery was answered with a 2xx before. */
  readonly repeated: boolean;
  /** All headers by lower-case name; of `authorization` only the scheme is shown. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ListenProblem {
  /** What was checked. */
  readonly check: 'webhook-signature' | 'X-MT-Signature' | 'Authorization';
  /** A `PushVerificationErrorCode`. */
  readonly code: string;
  readonly detail: string;
}
