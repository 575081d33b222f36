import type { CustomHeader } from './custom-headers.js';
import type { BodyField } from './job-completed.js';

export const DATA_SOURCE_ROLES = ['RESULTS_SINK'] as const;
export const DATA_SINK_STATUSES = ['ACTIVE', 'INACTIVE', 'DISABLED'] as const;
/** The statuses that a customer may set; only the module sets `DISABLED`. */
export const SETTABLE_SINK_STATUSES = ['ACTIVE', 'INACTIVE'] as const satisfies readonly DataSinkStatus[];
/** Why a sink was disabled: the reason of most of its last failed deliveries, or a 410. */
export const DISABLED_REASONS = [
  'REPEATED_AUTH_FAILURE',
  'REPEATED_REJECTION',
  'REPEATED_5XX',
  'REPEATED_NETWORK_FAILURE',
  'RECEIVER_GONE',
] as const;
export const AUTH_SCHEMES = ['HmacSha256', 'Bearer', 'Basic'] as const;
export const PAYLOAD_FORMATS = ['JSON', 'JSONL', 'CSV', 'PARQUET'] as const;
export const COMPRESSIONS = ['none', 'gzip'] as const;
export const CSV_FORMULAS = ['escape', 'raw'] as const;
export const PARQUET_CODECS = ['snappy', 'gzip'] as const;
/** Upper limit for `maxRowsPerPush`. */
export const MAX_ROWS_PER_PUSH = 1_000_000;

export type DataSourceRole = (typeof DATA_SOURCE_ROLES)[number];
/** The name of a destination: one of ours, or of the host's own. */
export type DataSinkType = string;
/**
 * - `INACTIVE`: switched off by its owner; waiting deliveries are cancelled, no new ones are created
 * - `DISABLED`: switched off by the module after repeated failures; waiting and new deliveries are kept
 */
export type DataSinkStatus = (typeof DATA_SINK_STATUSES)[number];
export type DisabledReason = (typeof DISABLED_REASONS)[number];
export type AuthScheme = (typeof AUTH_SCHEMES)[number];
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];
export type Compression = (typeof COMPRESSIONS)[number];
export type CsvFormulas = (typeof CSV_FORMULAS)[number];
export type ParquetCodec = (typeof PARQUET_CODECS)[number];

/** The 4xx statuses for which a sink may request retries (contract, section 7). */
export const OPTIONALLY_RETRYABLE_STATUSES = [408, 425, 429] as const;

/** What the configuration of every sink says, whatever its type: how bodies are made, and how fast they go. */
export interface SinkConfig {
  /** How the body is compressed before it is signed and sent. @default 'none' */
  readonly compression: Compression;
  /** The fields to send of each row, in the contract's order, including `partnerRowId`; null for all that a row has. */
  readonly includeFields: readonly BodyField[] | null;
  /** A job with more rows is pushed in numbered parts; null for one push of any size. */
  readonly maxRowsPerPush: number | null;
  /** Maximum pushes per second; null for no limit of its own. Absent in sinks of older versions. */
  readonly maxPushesPerSecond?: number | null | undefined;
  /** Whether text of CSV that looks like a formula gets an apostrophe. Of no effect in other formats. @default 'escape' */
  readonly csvFormulas?: CsvFormulas | undefined;
  /** How the pages of a Parquet file are compressed. Of no effect in other formats. @default 'snappy' */
  readonly parquetCodec?: ParquetCodec | undefined;
}

export interface HttpsWebhookConfig extends SinkConfig {
  /** The endpoint, in the form the URL parser gave it. */
  readonly url: string;
  readonly authScheme: AuthScheme;
  /** For `Basic` only; null when the secret is `user:password`. */
  readonly username: string | null;
  readonly customHeaders: readonly CustomHeader[];
  /** Some of 408, 425, 429; none by default. */
  readonly retryableStatuses: readonly number[];
  /** Whether pushes carry the `traceparent` of their attempt. @default false; sinks of older versions have none */
  readonly sendTraceparent?: boolean | undefined;
}

/** Defaults for sinks that were saved before these settings existed. */
export const DEFAULT_BODY_SETTINGS = { compression: 'none', includeFields: null, maxRowsPerPush: null } as const;
/** Details of single formats, for sinks that say nothing of them. */
export const FORMAT_DEFAULTS = { csvFormulas: 'escape', parquetCodec: 'snappy' } as const;
/** The same by type, for what its configuration says today. */
export const SETTINGS_OF_OLDER_SINKS: Readonly<Record<DataSinkType, object>> = {
  HTTPS_WEBHOOK: { maxPushesPerSecond: null, sendTraceparent: false, ...FORMAT_DEFAULTS },
  S3: { roleArn: null, externalId: null, ...FORMAT_DEFAULTS },
};

/** A data source of role `RESULTS_SINK`: where an agent's results are pushed. */
export interface DataSink {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly role: DataSourceRole;
  readonly type: DataSinkType;
  readonly name: string;
  /** As its type's destination accepted it. */
  readonly config: SinkConfig;
  readonly format: PayloadFormat;
  readonly status: DataSinkStatus;
  /** Null unless the status is `DISABLED`. */
  readonly disabledReason: DisabledReason | null;
  readonly disabledAt: Date | null;
  /**
   * Until then the circuit breaker is open and new deliveries wait; afterwards one delivery at a time probes the
   * receiver.
   */
  readonly pausedUntil: Date | null;
  /** Result of the last Test; null when there was none. */
  readonly lastTest: LastTest | null;
  /** Incremented by every change of what is sent or where. Each attempt stores it. */
  readonly configVersion: number;
  readonly secret: SecretSummary;
  /** The previous secret during a rotation's overlap, by the database's clock. */
  readonly previousSecret: PreviousSecretSummary | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

export interface LastTest {
  readonly passed: boolean;
  readonly at: Date;
  /** Whether the sink has not changed since then. */
  readonly isCurrent: boolean;
}

/** What the API shows of a secret; never its value. */
export interface SecretSummary {
  /** Its id in the vault, `sec_…`. */
  readonly id: string;
  /** `****` and the last four characters; null when the secret is shorter than 16. */
  readonly hint: string | null;
  readonly createdAt: Date;
}

/** A secret replaced by rotation. It signs beside its successor until the overlap ends. */
export interface PreviousSecretSummary extends Pick<SecretSummary, 'id' | 'hint'> {
  /** When it stops signing. */
  readonly expiresAt: Date;
}
