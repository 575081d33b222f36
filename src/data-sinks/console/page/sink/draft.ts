import type { AuthScheme, CreateSink, Sink, SinkConfig, UpdateSink } from '../api/types.js';

type RetryableStatus = NonNullable<SinkConfig['retryableStatuses']>[number];

/** What the form holds. */
export interface SinkDraft {
  readonly name: string;
  readonly url: string;
  readonly authScheme: AuthScheme;
  readonly username: string;
  /** For a signature: whether the platform makes the secret. */
  readonly isGenerated: boolean;
  /** Empty when it is generated, or kept. */
  readonly secret: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly retryable: readonly RetryableStatus[];
}

export const RETRYABLE: readonly { readonly status: RetryableStatus; readonly says: string }[] = [
  { status: 408, says: 'Request Timeout' },
  { status: 425, says: 'Too Early' },
  { status: 429, says: 'Too Many Requests' },
];

export const EMPTY_DRAFT: SinkDraft = {
  name: '',
  url: '',
  authScheme: 'HmacSha256',
  username: '',
  isGenerated: true,
  secret: '',
  headers: [],
  retryable: [],
};

export function draftOf({ name, config }: Sink): SinkDraft {
  return {
    name,
    url: config.url,
    authScheme: config.authScheme,
    username: config.username ?? '',
    isGenerated: false,
    secret: '',
    headers: config.customHeaders ?? [],
    retryable: config.retryableStatuses ?? [],
  };
}

export function toCreate(draft: SinkDraft): CreateSink {
  const isMade = draft.authScheme === 'HmacSha256' && draft.isGenerated;
  return {
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: draft.name,
    config: configOf(draft),
    ...(!isMade && { secret: { value: draft.secret } }),
    format: 'JSON',
  };
}

export function toUpdate(draft: SinkDraft): UpdateSink {
  return { name: draft.name, config: configOf(draft), ...(draft.secret !== '' && { secret: { value: draft.secret } }) };
}

function configOf({ url, authScheme, username, headers, retryable }: SinkDraft): SinkConfig {
  return {
    url: url.trim(),
    authScheme,
    ...(authScheme === 'Basic' && username !== '' && { username }),
    customHeaders: [...headers],
    retryableStatuses: [...retryable],
  };
}
