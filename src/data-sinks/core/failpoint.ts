import { ConfigurationError } from './errors.js';

/** Places where the chaos suite lets a process die, in the order in which a delivery passes them. */
export const FAILPOINTS = [
  /** Step 1: the event was heard, nothing is written. */
  'after-heard',
  /** Step 2: the deliveries are written, but a transaction of the host's is still open. */
  'after-recorded',
  /** Step 2: the deliveries are committed, nobody was woken. */
  'after-committed',
  /** Step 3: the wake-up is on its way. */
  'after-woken',
  /** Step 4: deliveries are leased, nothing was asked or made. */
  'after-claimed',
  /** Step 5a: some chunks of a large body are stored, the rest is not. */
  'mid-build',
  /** Step 5: the body is stored and signed, there is no attempt row. */
  'after-prepared',
  /** Step 5: the attempt's row is open, its request has not left. */
  'after-opened',
  /** Step 5c: the receiver has answered, the answer is not on record. */
  'after-posted',
  /** Step 6: a part of a job is delivered and that is on record, the last one was not made due. */
  'before-last-part',
  /** Step 6: the attempt is closed and what comes next is planned, nobody was woken for it. */
  'after-closed',
  /** Step 7: expired leases were taken back, nobody was woken for them. */
  'mid-sweep',
  /** Step 7: a secret whose overlap is over is destroyed, its sink still names it. */
  'after-destroyed',
  /** A recovery's next deliveries are made due and counted, its transaction is open. */
  'mid-recovery',
  /** They are committed, nobody was woken. */
  'after-recovered',
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

/** Which failpoint is armed, and which passage through it is the last. */
export interface ArmedFailpoint {
  readonly name: FailpointName;
  /** From 1. */
  readonly passage: number;
}

/**
 * Reads `DATA_SINKS_FAILPOINT`: a name, or a name and a number such as `after-opened:3`.
 * @throws ConfigurationError when it is neither, and in production, where it needs `DATA_SINKS_FAILPOINT_IN_PRODUCTION=yes`
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

/** @param die does not come back */
export function createFailpoint(armed: ArmedFailpoint | null, die: () => void): (name: FailpointName) => void {
  if (!armed) return () => undefined;
  let passages = 0;
  return (name) => {
    if (name === armed.name && ++passages === armed.passage) die();
  };
}

/**
 * The process dies here when `DATA_SINKS_FAILPOINT` names this place; else an empty function, decided once. It belongs to
 * the whole process, as dying does, so it is no option of a module's. `test/chaos/` sets the variable.
 */
export const failpoint: (name: FailpointName) => void = createFailpoint(armedFailpoint(process.env), () =>
  // Not exit(): no handler runs, nothing is flushed, as when the machine is gone.
  process.kill(process.pid, 'SIGKILL'),
);
