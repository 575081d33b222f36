import { Problem, type Violation } from '../api/problem.js';
import { formatConfig, type FormatSettings, PLAIN_FORMAT } from './format-details.js';
import { webhookOf } from './s3-sink.js';
import type { AuthScheme, CreateSink, RowField, Sink, SinkConfig, UpdateSink } from '../api/types.js';

type RetryableStatus = NonNullable<SinkConfig['retryableStatuses']>[number];

/** The values of the form. */
export interface SinkDraft extends FormatSettings {
  readonly name: string;
  readonly url: string;
  readonly authScheme: AuthScheme;
  readonly username: string;
  /** For a signature scheme: whether the platform generates the secret. */
  readonly isGenerated: boolean;
  /** Empty when it is generated or unchanged. */
  readonly secret: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly retryable: readonly RetryableStatus[];
  readonly fields: readonly RowField[];
  /** As typed; empty means no limit. */
  readonly maxRows: string;
  readonly maxPushes: string;
  readonly sendTraceparent: boolean;
}

export const RETRYABLE: readonly { readonly status: RetryableStatus; readonly says: string }[] = [
  { status: 408, says: 'Request Timeout' },
  { status: 425, says: 'Too Early' },
  { status: 429, says: 'Too Many Requests' },
];

/** The fields of a row in payload order; the first is always sent. */
export const ROW_FIELDS: readonly { readonly field: RowField; readonly says: string }[] = [
  { field: 'partnerRowId', says: 'which row it is, always sent' },
  { field: 'referenceHotelId', says: 'what it was matched to' },
  { field: 'matchMethod', says: 'how' },
  { field: 'matchConfidence', says: 'how surely' },
  { field: 'jobId', says: 'the job, the same in every row; so the next two' },
  { field: 'completedAt', says: 'when it completed' },
  { field: 'run', says: 'which completion of it' },
];

const ALL_FIELDS = ROW_FIELDS.map(({ field }) => field);
/** Those of a row itself: what is sent where nothing is chosen. */
const DEFAULT_FIELDS = ALL_FIELDS.slice(0, 4);

export const EMPTY_DRAFT: SinkDraft = {
  name: '',
  url: '',
  authScheme: 'HmacSha256',
  username: '',
  isGenerated: true,
  secret: '',
  headers: [],
  retryable: [],
  format: 'JSON',
  ...PLAIN_FORMAT,
  fields: DEFAULT_FIELDS,
  maxRows: '',
  maxPushes: '',
  sendTraceparent: false,
};

export function draftOf(sink: Sink): SinkDraft {
  const { name, format } = sink;
  const config = webhookOf(sink);
  return {
    name,
    url: config.url,
    authScheme: config.authScheme,
    username: config.username ?? '',
    isGenerated: false,
    secret: '',
    headers: config.customHeaders ?? [],
    retryable: config.retryableStatuses ?? [],
    format,
    isCompressed: config.compression === 'gzip',
    isRawCsv: config.csvFormulas === 'raw',
    parquetCodec: config.parquetCodec ?? PLAIN_FORMAT.parquetCodec,
    fields: config.includeFields ?? DEFAULT_FIELDS,
    maxRows: textOf(config.maxRowsPerPush),
    maxPushes: textOf(config.maxPushesPerSecond),
    sendTraceparent: config.sendTraceparent ?? false,
  };
}

/** Whether an advanced setting is set. */
export function isAdvanced({ format, isCompressed, fields, maxRows, maxPushes, sendTraceparent }: SinkDraft): boolean {
  const isPaced = maxRows !== '' || maxPushes !== '';
  return format !== 'JSON' || isCompressed || !areDefault(fields) || isPaced || sendTraceparent;
}

/** @returns null when the draft can be sent to the API */
export function checkDraft({ maxRows, maxPushes }: SinkDraft): Problem | null {
  // Only checks what could not be sent as typed; the API checks the limits.
  const fields = [
    { pointer: '/config/maxRowsPerPush', text: maxRows },
    { pointer: '/config/maxPushesPerSecond', text: maxPushes },
  ];
  const errors: Violation[] = fields
    .filter(({ text }) => Number.isNaN(numberOf(text)))
    .map(({ pointer }) => ({ pointer, detail: 'must be a number, or empty' }));
  return errors.length === 0 ? null : new Problem('validation-failed', 422, 'The request is not valid', '', errors);
}

export function toCreate(draft: SinkDraft): CreateSink {
  const isMade = draft.authScheme === 'HmacSha256' && draft.isGenerated;
  return {
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: draft.name,
    config: { ...configOf(draft) },
    ...(!isMade && { secret: { value: draft.secret } }),
    format: draft.format,
  };
}

/** Only the changed fields, so that concurrent changes by others stay. @returns null when nothing changed */
export function toUpdate(draft: SinkDraft, before: SinkDraft): UpdateSink | null {
  const config = changedOf(configOf(draft), configOf(before));
  const update: UpdateSink = {
    ...changedOf({ name: draft.name, format: draft.format }, { name: before.name, format: before.format }),
    ...(Object.keys(config).length > 0 && { config }),
    ...(draft.secret !== '' && { secret: { value: draft.secret } }),
  };
  return Object.keys(update).length === 0 ? null : update;
}

function changedOf<T extends object>(after: T, before: T): Partial<T> {
  const keys = Object.keys(after) as (keyof T)[];
  const changed = keys.filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
  return Object.fromEntries(changed.map((key) => [key, after[key]])) as Partial<T>;
}

function configOf(draft: SinkDraft): SinkConfig {
  const fields = ALL_FIELDS.filter((field, index) => index === 0 || draft.fields.includes(field));
  return {
    url: draft.url.trim(),
    authScheme: draft.authScheme,
    username: draft.authScheme === 'Basic' && draft.username !== '' ? draft.username : null,
    customHeaders: [...draft.headers],
    retryableStatuses: [...draft.retryable].sort((a, b) => a - b),
    ...formatConfig(draft),
    includeFields: areDefault(fields) ? null : fields,
    maxRowsPerPush: numberOf(draft.maxRows),
    maxPushesPerSecond: numberOf(draft.maxPushes),
    sendTraceparent: draft.sendTraceparent,
  };
}

function areDefault(fields: readonly RowField[]): boolean {
  return fields.length === DEFAULT_FIELDS.length && DEFAULT_FIELDS.every((field) => fields.includes(field));
}

function textOf(value: number | null | undefined): string {
  return typeof value === 'number' ? String(value) : '';
}

/** Null for an empty text, NaN for one that is not a number. */
function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
