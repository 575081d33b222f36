import { randomBytes } from 'node:crypto';
import { createIdFactory } from '../../../src/data-sinks/domain/ids.js';
import type { Platform } from '../platform/start-platform.js';

/** A past attempt. */
export interface PastAttempt {
  readonly startedAtMs: number;
  readonly succeeded: boolean;
  readonly totalMs: number;
}

/**
 * Inserts past attempts of an existing delivery, to fill a chart.
 * @param attempts oldest first
 */
export async function writeHistory(
  platform: Platform,
  deliveryId: string,
  attempts: readonly PastAttempt[],
): Promise<void> {
  await platform.sql(
    `INSERT INTO agent_data_source_sync
       (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status,
        error_code, http_status, url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id, finished_at,
        dns_ms, connect_ms, tls_ms, upload_ms, wait_ms, total_ms, answer_excerpt, answer_ending)
     SELECT past.id, past.started_at, s.delivery_id, s.data_source_id, s.workspace_id, s.agent_id, s.job_id, past.number,
            s.trigger, CASE WHEN past.succeeded THEN 'SUCCEEDED' ELSE 'HTTP_5XX' END,
            CASE WHEN past.succeeded THEN NULL ELSE 'receiver_error' END, CASE WHEN past.succeeded THEN 200 ELSE 503 END,
            s.url, s.auth_scheme, s.config_version, s.payload_sha256, s.payload_bytes, s.worker_id, past.started_at,
            2, 9, 21, 4, past.total_ms - 36, past.total_ms, CASE WHEN past.succeeded THEN 'ok' ELSE 'restarting' END, 'complete'
       FROM unnest($2::text[], $3::timestamptz[], $4::int[], $5::bool[], $6::int[]) AS past (id, started_at, number, succeeded, total_ms)
       CROSS JOIN (SELECT * FROM agent_data_source_sync WHERE delivery_id = $1 LIMIT 1) s`,
    [
      deliveryId,
      idsOf(attempts),
      attempts.map(({ startedAtMs }) => new Date(startedAtMs).toISOString()),
      attempts.map((_, index) => index + 2),
      attempts.map(({ succeeded }) => succeeded),
      attempts.map(({ totalMs }) => totalMs),
    ],
  );
  await platform.sql('UPDATE agent_data_source_delivery SET attempt_count = $2 WHERE id = $1', [
    deliveryId,
    attempts.length + 1,
  ]);
}

/** Ids with that timestamp, since lists are ordered by id. */
function idsOf(attempts: readonly PastAttempt[]): string[] {
  let nowMs = 0;
  const newId = createIdFactory(() => nowMs, randomBytes);
  return attempts.map(({ startedAtMs }) => {
    nowMs = startedAtMs;
    return newId('attempt');
  });
}

const HOUR_MS = 3_600_000;

/** A week of a healthy endpoint with one bad afternoon. */
export function aWeek(nowMs: number): PastAttempt[] {
  return Array.from({ length: 7 * 24 }, (_, index) => nowMs - (7 * 24 - index) * HOUR_MS + HOUR_MS / 2).flatMap(
    (startedAtMs, hour) => {
      const busy = 1 + Math.round(2 + 2 * Math.sin((hour / 24) * 2 * Math.PI));
      const isBad = hour > 7 * 24 - 9 && hour < 7 * 24 - 5;
      return Array.from({ length: busy }, (_, index) => ({
        startedAtMs: startedAtMs + index * 60_000,
        succeeded: !(isBad && index % 3 !== 2) && (hour * 7 + index) % 41 !== 0,
        totalMs: 80 + ((hour * 13 + index * 29) % 60) + (isBad ? 400 : 0),
      }));
    },
  );
}
