import { isConnectionError, isDatabaseAnswer } from '../database/connection-errors.js';
import { failedPort } from '../ports/failed-port.js';

/** What of our own side failed, for the metric `data_sinks.own_failures` and the alerts. */
export const OWN_FAILURE_KINDS = [
  /** It refuses connections, or does not answer. */
  'database',
  /** It answers, and refuses the statement: it is read-only, its disk is full, a right is missing. */
  'database_refuses',
  /** It does not answer, or cannot open a secret. */
  'vault',
  /** A port of the host's throws, answers wrongly or not in time. */
  'port',
  'redis',
  'partitions',
  /** No name server of ours answers. */
  'resolver',
  'internal',
] as const;
export type OwnFailureKind = (typeof OWN_FAILURE_KINDS)[number];

/** Told by the error alone, wherever it was caught: by which port it came through, then by what it says. */
export function ownFailureKind(error: unknown): OwnFailureKind {
  const port = failedPort(error);
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (port?.startsWith('SecretVault') || code === 'secret_unavailable') return 'vault';
  if (port !== null || code === 'port_answer_invalid') return 'port';
  if (code === 'partition_failed') return 'partitions';
  if (isConnectionError(error)) return 'database';
  return isDatabaseAnswer(error) ? 'database_refuses' : 'internal';
}
