import type { CustomHeader } from './custom-headers.js';
import type { RowField } from './job-completed.js';

export const DATA_SOURCE_ROLES = ['RESULTS_SINK'] as const;
export const DATA_SINK_TYPES = ['HTTPS_WEBHOOK'] as const;
export const DATA_SINK_STATUSES = ['ACTIVE', 'INACTIVE', 'DISABLED'] as const;
/** What a customer may set; `DISABLED` is set by the module alone. */
export const SETTABLE_SINK_STATUSES = ['ACTIVE', 'INACTIVE'] as const satisfies readonly DataSinkStatus[];
/** Why a sink was disabled: by what most of its last failed deliveries ended with, or at once by a 410. */
export const DISABLED_REASONS = [
  'REPEATED_AUTH_FAILURE',
  'REPEATED_REJECTION',
  'REPEATED_5XX',
  'REPEATED_NETWORK_FAILURE',
  'RECEIVER_GONE',
] as const;
export const AUTH_SCHEMES = ['HmacSha256', 'Bearer', 'Basic'] as const;
export const PAYLOAD_FORMATS = ['JSON', 'JSONL', 'CSV'] as const;
export const COMPRESSIONS = ['none', 'gzip'] as const;
/** The most rows that a sink may ask to have in one push. */
export const MAX_ROWS_PER_PUSH = 1_000_000;

export type DataSourceRole = (typeof DATA_SOURCE_ROLES)[number];
export type DataSinkType = (typeof DATA_SINK_TYPES)[number];
/**
 * - `INACTIVE`: switched off by its owner; what waits is cancelled and nothing new is made
 * - `DISABLED`: switched off by the module after repeated failures; what waits, and what comes, waits on
 */
export type DataSinkStatus = (typeof DATA_SINK_STATUSES)[number];
export type DisabledReason = (typeof DISABLED_REASONS)[number];
export type AuthScheme = (typeof AUTH_SCHEMES)[number];
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];
export type Compression = (typeof COMPRESSIONS)[number];

/** The 4xx statuses that a sink may ask to have retried (contract, section 7). */
export const OPTIONALLY_RETRYABLE_STATUSES = [408, 425, 429] as const;

export interface HttpsWebhookConfig {
  /** The endpoint, in the form the URL parser gave it. */
  readonly url: string;
  readonly authScheme: AuthScheme;
  /** For `Basic` only; null when the secret is `user:password`. */
  readonly username: string | null;
  readonly customHeaders: readonly CustomHeader[];
  /** Some of 408, 425, 429; none by default. */
  readonly retryableStatuses: readonly number[];
  /** How the body is compressed before it is signed and sent. @default 'none' */
  readonly compression: Compression;
  /** The row fields that are sent, in the contract's order, `partnerRowId` among them; null for all. */
  readonly includeFields: readonly RowField[] | null;
  /** A job with more rows is pushed as numbered parts; null for one push whatever its size. */
  readonly maxRowsPerPush: number | null;
  /** At most so many pushes a second; null for as many as its cap allows. Sinks of older versions have none. */
  readonly maxPushesPerSecond?: number | null | undefined;
  /** Whether pushes carry the `traceparent` of their attempt. @default false; sinks of older versions have none */
  readonly sendTraceparent?: boolean | undefined;
}

/** What a sink has that was made before these could be set. */
export const DEFAULT_BODY_SETTINGS = { compression: 'none', includeFields: null, maxRowsPerPush: null } as const;

/** A data source of role `RESULTS_SINK`: where an agent's results are pushed. */
export interface DataSink {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly role: DataSourceRole;
  readonly type: DataSinkType;
  readonly name: string;
  readonly config: HttpsWebhookConfig;
  readonly format: PayloadFormat;
  readonly status: DataSinkStatus;
  /** Null unless the status is `DISABLED`. */
  readonly disabledReason: DisabledReason | null;
  readonly disabledAt: Date | null;
  /** While its receiver is down: until then fresh deliveries wait, afterwards they go one at a time until one is answered. */
  readonly pausedUntil: Date | null;
  /** What the last Test said; null when there was none. */
  readonly lastTest: LastTest | null;
  /** Goes up with every change of what is sent or where. Attempts keep it. */
  readonly configVersion: number;
  readonly secret: SecretSummary;
  /** The one before, while a rotation's overlap lasts; by the database's clock. */
  readonly previousSecret: PreviousSecretSummary | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

export interface LastTest {
  readonly passed: boolean;
  readonly at: Date;
  /** Whether the sink is still as it was then. */
  readonly isCurrent: boolean;
}

/** What may be shown of a secret: never the value. */
export interface SecretSummary {
  /** The vault's name for it, `sec_…`. */
  readonly id: string;
  /** `****` and the last four characters, or null when the secret is shorter than 16. */
  readonly hint: string | null;
  readonly createdAt: Date;
}

/** A secret that was rotated away and signs beside its successor for a while. */
export interface PreviousSecretSummary extends Pick<SecretSummary, 'id' | 'hint'> {
  /** From then on it signs nothing. */
  readonly expiresAt: Date;
}
