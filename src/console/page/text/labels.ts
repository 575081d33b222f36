import type {
  AgentStatus,
  Attempt,
  AttemptStatus,
  AuthScheme,
  DeliveryReason,
  DeliveryStatus,
  DeliveryTrigger,
  ExchangeStep,
  Recovery,
  Sink,
} from '../api/types.js';

/** Severity of a state, shown as a colour and always in words as well. */
export type Tone = 'ok' | 'bad' | 'warn' | 'busy' | 'quiet';

export interface Label {
  readonly text: string;
  readonly tone: Tone;
}

export const AGENT_STATUS: Readonly<Record<AgentStatus, Label>> = {
  DRAFT: { text: 'Draft', tone: 'quiet' },
  ACTIVE: { text: 'Active', tone: 'ok' },
  PAUSED: { text: 'Paused', tone: 'warn' },
};

export const SINK_STATUS: Readonly<Record<Sink['status'], Label>> = {
  ACTIVE: { text: 'Active', tone: 'ok' },
  INACTIVE: { text: 'Paused by hand', tone: 'warn' },
  DISABLED: { text: 'Disabled by us', tone: 'bad' },
};

export const DELIVERY_STATUS: Readonly<Record<DeliveryStatus, Label>> = {
  PENDING: { text: 'Waiting', tone: 'busy' },
  IN_FLIGHT: { text: 'Sending', tone: 'busy' },
  RETRYING: { text: 'Retrying', tone: 'warn' },
  DELIVERED: { text: 'Delivered', tone: 'ok' },
  FAILED: { text: 'Failed', tone: 'bad' },
  CANCELLED: { text: 'Cancelled', tone: 'quiet' },
};

/** Why a delivery ended without success, and what to do. */
export const DELIVERY_REASON: Readonly<Record<DeliveryReason, string>> = {
  plan_required: 'The workspace’s plan does not include data sinks any more. Upgrade, then redeliver.',
  agent_inactive: 'The agent was not active. Activate it, then redeliver.',
  auto_push_off: 'Automatic pushes were switched off while it waited.',
  sink_inactive: 'The data source was paused or deleted while it waited.',
  requested: 'Somebody cancelled it while it waited.',
  not_retryable: 'The last attempt failed in a way that trying again cannot mend. Its advice says what to change.',
  retries_exhausted: 'Every retry was used up. Mend the endpoint, then redeliver this one, or Recover all that failed.',
  results_missing: 'The job’s results do not exist any more.',
  results_invalid: 'The job’s results could not be read.',
  too_many_parts: 'The job has more rows than fit into as many parts as there may be.',
  parts_incomplete: 'Another part of the job was not delivered. Redeliver that one; this one follows by itself.',
  abandoned_too_often: 'Our process ended too often during its attempts.',
};

export const RECOVERY_STATUS: Readonly<Record<Recovery['status'], Label>> = {
  RUNNING: { text: 'Running', tone: 'busy' },
  DONE: { text: 'Done', tone: 'ok' },
  CANCELLED: { text: 'Cancelled', tone: 'quiet' },
};

/** Why a recovery was cancelled, and what to do. */
export const RECOVERY_REASON: Readonly<Record<NonNullable<Recovery['reason']>, string>> = {
  requested: 'Somebody cancelled it. What was not made due stays failed, and can be recovered later.',
  sink_inactive: 'The data source was paused by hand meanwhile. Resume it, then recover what is left.',
  agent_inactive: 'The agent was paused meanwhile. Activate it, then recover what is left.',
  plan_required: 'The workspace’s plan did not include data sinks any more. Upgrade, then recover what is left.',
};

export const DELIVERY_TRIGGER: Readonly<Record<DeliveryTrigger, string>> = {
  AUTO: 'Job finished',
  MANUAL: 'Pushed by hand',
  REDELIVERY: 'Redelivered',
};

const ATTEMPT_STATUS: Readonly<Record<AttemptStatus, Label>> = {
  IN_FLIGHT: { text: 'Under way', tone: 'busy' },
  SUCCEEDED: { text: 'Succeeded', tone: 'ok' },
  HTTP_4XX: { text: 'Rejected', tone: 'bad' },
  HTTP_5XX: { text: 'Server error', tone: 'bad' },
  HTTP_3XX: { text: 'Redirect refused', tone: 'bad' },
  TIMEOUT: { text: 'Timed out', tone: 'bad' },
  NETWORK_ERROR: { text: 'Network error', tone: 'bad' },
  TLS_ERROR: { text: 'TLS error', tone: 'bad' },
  BLOCKED: { text: 'Blocked', tone: 'bad' },
  ABANDONED: { text: 'Abandoned by us', tone: 'warn' },
};

const HAD_CLOSED: Label = { text: 'Connection had closed', tone: 'warn' };

/** The badge of an attempt. A closed connection is not a failure of the receiver and is not shown as one. */
export function attemptLabel({ status, errorCode }: Pick<Attempt, 'status' | 'errorCode'>): Label {
  return errorCode === 'stale_connection' ? HAD_CLOSED : ATTEMPT_STATUS[status];
}

export const ANSWER_ENDING: Readonly<Record<NonNullable<Attempt['answerEnding']>, string | null>> = {
  complete: null,
  cap: 'Cut here: only the first 16 KB of an answer are read.',
  deadline: 'Cut here: the rest did not come in time.',
  cut: 'Cut here: the connection was closed in the middle of the answer.',
};

export const SCHEMES: Readonly<Record<AuthScheme, { readonly name: string; readonly says: string }>> = {
  HmacSha256: {
    name: 'Signature (HMAC-SHA256)',
    says: 'Each push is signed with a shared secret that never travels. Recommended.',
  },
  Bearer: { name: 'Bearer token', says: 'Each push carries “Authorization: Bearer” and your token.' },
  Basic: { name: 'Basic authentication', says: 'Each push carries a username and a password.' },
};

/** Steps that the Test of a webhook has. */
type WebhookStep = Exclude<ExchangeStep, 'ours' | 'credentials' | 'region' | 'bucket' | 'write' | 'condition'>;

export const STEPS: Readonly<Record<WebhookStep, { readonly name: string; readonly says: string }>> = {
  url: { name: 'Address entered', says: 'The URL is one that results may be sent to.' },
  dns: { name: 'Name resolved', says: 'The host’s name leads to an address.' },
  address: { name: 'Address allowed', says: 'The address is one that results may be sent to.' },
  connect: { name: 'Connected', says: 'The server accepts connections.' },
  tls: { name: 'Encrypted', says: 'The certificate is valid for this host.' },
  request: { name: 'Sent', says: 'The whole body was taken.' },
  response: { name: 'Answered', says: 'The answer has a 2xx status.' },
};
