import { ConfigurationError } from '../domain/errors.js';

/** Points at which the chaos tests kill a process, in the order in which a delivery passes them. */
export const FAILPOINTS = [
  /** Step 1: the event was received, nothing is written. */
  'after-heard',
  /** Step 2: the deliveries are written, but the host's transaction is still open. */
  'after-recorded',
  /** Step 2: the deliveries are committed, no worker was woken. */
  'after-committed',
  /** Step 3: the wake-up was sent. */
  'after-woken',
  /** Step 4: deliveries are claimed, the gate has not run. */
  'after-claimed',
  /** Step 5a: some chunks of a large body are stored. */
  'mid-build',
  /** Step 5: the body is stored and signed, there is no attempt row. */
  'after-prepared',
  /** Step 5: the attempt row is open, the request has not been sent. */
  'after-opened',
  /** Step 5c, S3: the id of an upload in parts is on the attempt's row, no part has left. */
  's3-upload-on-record',
  /** Step 5c, S3: the store took a part. */
  's3-part-sent',
  /** Step 5c, S3: it took all parts, the upload is not completed. */
  's3-all-sent',
  /** Step 5c, S3: it completed the upload, its answer is known to nobody. */
  's3-completed',
  /** Step 5c, S3: it took the whole object, its answer is known to nobody. */
  's3-put-sent',
  /** Step 5c: the receiver has answered, the answer is not on record. */
  'after-posted',
  /** Step 6: a part is recorded as delivered, the last part has not been made due. */
  'before-last-part',
  /** Step 6: the attempt is closed and the next step planned, no worker was woken. */
  'after-closed',
  /** Step 6: the ends of deliveries are in the audit trail, the outbox still holds them. */
  'after-audited',
  /** Step 7: expired leases were taken back, nobody was woken for them. */
  'mid-sweep',
  /** Step 7: a secret whose overlap has ended is destroyed, its sink still references it. */
  'after-destroyed',
  /** A recovery's next deliveries are made due and counted, its transaction is open. */
  'mid-recovery',
  /** They are committed, no worker was woken. */
  'after-recovered',
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

/** The armed failpoint, and at which passage it fires. */
export interface ArmedFailpoint {
  readonly name: FailpointName;
  /** From 1. */
  readonly passage: number;
}

/**
 * Parses `DATA_SINKS_FAILPOINT`: a name, or a name and a number such as `after-opened:3`.
 * @throws ConfigurationError when it is malformed; and in production, unless `DATA_SINKS_FAILPOINT_IN_PRODUCTION=yes`
 */
export function armedFailpoint(environment: Readonly<Record<string, string | undefined>>): ArmedFailpoint | null {
  const text = environment['DATA_SINKS_FAILPOINT'];
  if (!text) return null;
  if (environment['NODE_ENV'] === 'production' && environment['DATA_SINKS_FAILPOINT_IN_PRODUCTION'] !== 'yes') {
    throw new ConfigurationError(
      'DATA_SINKS_FAILPOINT kills this process on purpose and is refused in production; unset it',
    );
  }
  const [wanted, passage = '1', ...more] = text.split(':');
  const name = FAILPOINTS.find((known) => known === wanted);
  if (!name || more.length > 0 || !/^[1-9]\d{0,8}$/.test(passage)) {
    throw new ConfigurationError(
      `DATA_SINKS_FAILPOINT is "${text}"; set one of ${FAILPOINTS.join(', ')}, or one of them and a number as in after-opened:3`,
    );
  }
  return { name, passage: Number(passage) };
}

/** @param die does not return */
export function createFailpoint(armed: ArmedFailpoint | null, die: () => void): (name: FailpointName) => void {
  if (!armed) return () => undefined;
  let passages = 0;
  return (name) => {
    if (name === armed.name && ++passages === armed.passage) die();
  };
}

/**
 * Kills the process here when `DATA_SINKS_FAILPOINT` names this point; otherwise an empty function, decided once. It is
 * process-wide, so it is not a module option. `test/chaos/` sets the variable.
 */
export const failpoint: (name: FailpointName) => void = createFailpoint(armedFailpoint(process.env), () =>
  // Not exit(): no handler runs and nothing is flushed, as in a power failure.
  process.kill(process.pid, 'SIGKILL'),
);
