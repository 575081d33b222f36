import type { CustomHeader } from './custom-headers.js';

export const DATA_SOURCE_ROLES = ['RESULTS_SINK'] as const;
export const DATA_SINK_TYPES = ['HTTPS_WEBHOOK'] as const;
export const DATA_SINK_STATUSES = ['ACTIVE', 'INACTIVE'] as const;
export const AUTH_SCHEMES = ['HmacSha256', 'Bearer', 'Basic'] as const;
export const PAYLOAD_FORMATS = ['JSON'] as const;

export type DataSourceRole = (typeof DATA_SOURCE_ROLES)[number];
export type DataSinkType = (typeof DATA_SINK_TYPES)[number];
export type DataSinkStatus = (typeof DATA_SINK_STATUSES)[number];
export type AuthScheme = (typeof AUTH_SCHEMES)[number];
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];

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
}

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
  /** Goes up with every change of what is sent or where. Attempts keep it. */
  readonly configVersion: number;
  readonly secret: SecretSummary;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

/** What may be shown of a secret: never the value. */
export interface SecretSummary {
  /** The vault's name for it, `sec_…`. */
  readonly id: string;
  /** `****` and the last four characters, or null when the secret is shorter than 16. */
  readonly hint: string | null;
  readonly createdAt: Date;
}
