import { MATCHED, TOTAL } from './demo-rows.js';
import type { AttemptSeen, DeliverySeen } from './platform-client.js';
import { grouped, type Terminal } from './terminal.js';

/** The receiver's report of one request. */
export interface Received {
  readonly event: string;
  readonly test: boolean;
  readonly deliveryId: string;
  readonly attempt: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly signatureValid: boolean;
  readonly rows: number;
  readonly matched: number;
  readonly answered: number;
}

/** The contract's 5 s plus up to 10 % jitter; the rest is for a slow machine. */
const WAIT_MS = { least: 5_000, most: 5_500 + 1_500 };

/**
 * Compares the platform's records with the receiver's, shows the attempts, and prints what was proved.
 * @throws Error naming the first broken promise
 */
export function verifyPromises(
  terminal: Terminal,
  delivery: DeliverySeen,
  received: readonly [Received, Received],
): void {
  const attempts = delivery.attempts.toSorted((a, b) => a.attemptNumber - b.attemptNumber);
  const [first, second] = received;
  const waitedMs = gapMs(attempts[0], attempts[1]);
  showAttempts(terminal, attempts, received);

  const promises: readonly (readonly [boolean, string])[] = [
    [
      delivery.status === 'DELIVERED',
      `the delivery ended ${delivery.status}, ${delivery.reason ?? 'without a reason'}`,
    ],
    [attempts.length === 2, `there are ${attempts.length} attempts on record instead of 2`],
    [attempts[0]?.status === 'HTTP_5XX' && attempts[0].httpStatus === 503, 'attempt 1 is not on record as 503'],
    [attempts[1]?.status === 'SUCCEEDED' && attempts[1].httpStatus === 200, 'attempt 2 is not on record as 200'],
    [waitedMs >= WAIT_MS.least && waitedMs <= WAIT_MS.most, `the wait was ${waitedMs} ms instead of 5,000 to 5,500`],
    [first.signatureValid && second.signatureValid, 'the receiver could not verify a signature'],
    [first.deliveryId === delivery.id && second.deliveryId === delivery.id, 'the delivery’s id was not the same twice'],
    [first.sha256 === second.sha256, 'the two attempts sent different bytes'],
    [first.sha256 === delivery.payload?.sha256, 'the bytes received are not those on record'],
    [
      second.rows === TOTAL && second.matched === MATCHED,
      `the receiver counted ${second.matched} of ${second.rows} rows`,
    ],
  ];
  const broken = promises.find(([kept]) => !kept);
  if (broken) throw new Error(broken[1]);

  terminal.line(
    `\nProved: both attempts sent the same ${grouped(second.bytes)} bytes (SHA-256 ${second.sha256.slice(0, 16)}…), the receiver ` +
      `verified the signature on both, and counted ${grouped(second.rows)} rows, ${grouped(second.matched)} of them matched.`,
  );
}

function showAttempts(terminal: Terminal, attempts: readonly AttemptSeen[], received: readonly Received[]): void {
  terminal.table(
    ['attempt', 'status', 'answer', 'after', 'took', 'bytes', 'SHA-256', 'signature'],
    attempts.map((attempt, index) => {
      const seen = received.find((one) => one.attempt === attempt.attemptNumber);
      return [
        String(attempt.attemptNumber),
        attempt.status,
        String(attempt.httpStatus ?? '-'),
        index === 0 ? '-' : `${(gapMs(attempts[index - 1], attempt) / 1_000).toFixed(1)} s`,
        `${Date.parse(attempt.finishedAt ?? '') - Date.parse(attempt.startedAt)} ms`,
        grouped(seen?.bytes ?? 0),
        `${seen?.sha256.slice(0, 16) ?? '-'}…`,
        seen?.signatureValid ? 'verified' : 'WRONG',
      ];
    }),
  );
}

/** From the end of one attempt to the start of the next. */
function gapMs(earlier: AttemptSeen | undefined, later: AttemptSeen | undefined): number {
  return Date.parse(later?.startedAt ?? '') - Date.parse(earlier?.finishedAt ?? '');
}
