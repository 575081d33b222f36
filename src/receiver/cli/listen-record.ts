import type { PushFormat } from '../push-content.js';
import type { PushFacts, PushPart } from '../results-push.js';

/** The first line of `data-sinks listen --json`. */
export interface ListeningLine {
  /** The port, also where `--port 0` left the choice to the system. */
  readonly listening: number;
}

/**
 * Every further line of `data-sinks listen --json`: one per request, written when it was answered or given up by its
 * sender. Members are only ever added.
 */
export interface ListenRecord {
  /** Counts requests from 1, in the order in which they began. */
  readonly request: number;
  /** When its headers were here: RFC 3339, UTC, milliseconds. */
  readonly receivedAt: string;
  /** From its headers to the answer, or to the end of the connection. */
  readonly durationMs: number;
  readonly method: string;
  /** Path and query, as they came. */
  readonly path: string;
  /** `X-MT-Delivery-Id`, else `webhook-id`. */
  readonly deliveryId: string | null;
  /** `X-MT-Attempt`. */
  readonly attempt: number | null;
  /** What was answered; null when the sender closed the connection before it could be. */
  readonly status: number | null;
  /** Of the body, as far as it came. */
  readonly bytes: number;
  /** Of the body as far as it came, lower-case hex. */
  readonly sha256: string;
  /** Whether everything that was to be checked held; null when no secret, bearer or basic was given. */
  readonly signatureValid: boolean | null;
  /** Why it did not hold. */
  readonly problems: readonly ListenProblem[];
  /** Whether the bytes agree with `Content-Digest`; null when that header did not come. */
  readonly contentDigestValid: boolean | null;
  /** By `Content-Type`; null when no push has it. */
  readonly format: PushFormat | null;
  /** Whether the body came compressed; `bytes` and `sha256` are of it as it came. */
  readonly gzip: boolean;
  /** `X-MT-Part`. */
  readonly part: PushPart | null;
  /** Rows that were read; null when the body cannot be read as a push. */
  readonly rows: number | null;
  /** The first row, for a look; null also where it is nested more than 100 deep. */
  readonly firstRow: unknown;
  /** Null when the body cannot be read as a push. */
  readonly facts: PushFacts | null;
  /** A `PayloadErrorCode`, or null. */
  readonly payloadError: string | null;
  /** Whether it was marked as synthetic, by the Test button. */
  readonly test: boolean;
  /** Whether this delivery was already answered with a 2xx here. */
  readonly repeated: boolean;
  /** All headers by lower-case name, but for `authorization`, of which only the scheme is shown. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ListenProblem {
  /** What was checked. */
  readonly check: 'webhook-signature' | 'X-MT-Signature' | 'Authorization';
  /** A `PushVerificationErrorCode`. */
  readonly code: string;
  readonly detail: string;
}
