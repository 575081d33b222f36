import type { EntityManager } from 'typeorm';
import type { StoredPayload } from '../core/claimed-delivery.js';
import type { JobKey } from '../core/job-completed.js';

/** The build of some of a job's parts: who holds its lease. */
export interface PartsBuild extends JobKey {
  /** The recipe's name under which the lease is kept. */
  readonly group: string;
  readonly buildId: string;
}

/** Where the next chunk of a part belongs. The part's body is called after its build, so that its owner can be told. */
export interface PartChunk {
  readonly bodyId: string;
  readonly seq: number;
  readonly bytes: Buffer;
}

/**
 * The parts of a job while they are made. One lease covers them all; each write extends it, and nothing is written
 * without it. The parts become ready together: of a job whose rows cannot be sent, no part leaves.
 */
export class PartStore {
  readonly #manager: Pick<EntityManager, 'query'>;
  readonly #buildLeaseMs: number;

  /** @param buildLeaseMs a builder that was not heard of for so long is taken for dead */
  constructor(manager: Pick<EntityManager, 'query'>, buildLeaseMs: number) {
    this.#manager = manager;
    this.#buildLeaseMs = buildLeaseMs;
  }

  /** Of some parts' recipes, those that a delivery waits for and that are not ready. */
  async wanted({ jobId, run }: JobKey, recipes: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#query<{ recipe: string }>(
      `SELECT DISTINCT d.recipe FROM agent_data_source_delivery d
        WHERE d.job_id = $1 AND d.run = $2 AND d.recipe = ANY ($3) AND d.part_count > 1 AND d.settled_at IS NULL
          AND NOT EXISTS (
            SELECT FROM agent_data_source_payload p
             WHERE p.job_id = d.job_id AND p.run = d.run AND p.format = d.recipe AND p.ready)`,
      [jobId, run, recipes],
    );
    return new Set(found.map(({ recipe }) => recipe));
  }

  /** @returns false when another builder took over; nothing was written */
  async appendChunk(build: PartsBuild, { bodyId, seq, bytes }: PartChunk): Promise<boolean> {
    const written = await this.#query(
      `WITH ${LEASE}
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
       SELECT $6, $7::int, $8::bytea FROM lease RETURNING seq`,
      [...this.#leaseOf(build), bodyId, seq, bytes],
    );
    return written.length === 1;
  }

  /** Writes the last chunk of a part, which for most is the only one, and what is known of the whole. */
  async finishPart(build: PartsBuild, recipe: string, payload: StoredPayload, last: PartChunk): Promise<boolean> {
    const written = await this.#query(
      `WITH ${LEASE},
       part AS (
         INSERT INTO agent_data_source_payload AS p
           (job_id, run, format, body_id, ready, building_until, sha256, byte_count, row_count)
         SELECT $1, $2, $9, $6, false, building_until, $10::bytea, $11::bigint, $12::bigint FROM lease
         ON CONFLICT (job_id, run, format) DO UPDATE
           SET body_id = excluded.body_id, building_until = excluded.building_until,
               sha256 = excluded.sha256, byte_count = excluded.byte_count, row_count = excluded.row_count
           WHERE NOT p.ready
         RETURNING body_id
       )
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
       SELECT body_id, $7::int, $8::bytea FROM part RETURNING seq`,
      [
        ...[...this.#leaseOf(build), last.bodyId, last.seq, last.bytes],
        ...[recipe, Buffer.from(payload.sha256, 'hex'), payload.bytes, payload.rows],
      ],
    );
    return written.length === 1;
  }

  /** Makes all parts of a build ready. @returns false when another builder took over */
  async publish(build: PartsBuild): Promise<boolean> {
    const held = await this.#query(
      `WITH ${LEASE},
       ready AS (
         UPDATE agent_data_source_payload p SET ready = true, building_until = NULL FROM lease
          WHERE p.job_id = $1 AND p.run = $2 AND NOT p.ready
            AND p.body_id <> lease.body_id AND split_part(p.body_id, '.', 1) = lease.body_id
       )
       SELECT body_id FROM lease`,
      this.#leaseOf(build),
    );
    return held.length === 1;
  }

  /** Gives the lease back, and forgets what was made and not published; its chunks belong to nobody and are swept. */
  async end({ jobId, run, buildId }: PartsBuild): Promise<void> {
    await this.#manager.query(
      `DELETE FROM agent_data_source_payload
        WHERE job_id = $1 AND run = $2 AND NOT ready AND split_part(body_id, '.', 1) = $3`,
      [jobId, run, buildId],
    );
  }

  #leaseOf({ jobId, run, group, buildId }: PartsBuild): unknown[] {
    return [jobId, run, group, buildId, this.#buildLeaseMs];
  }

  async #query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return (await this.#manager.query(sql, parameters)) as T[];
  }
}

/** Extends the lease of a build; none when it is another's by now. */
const LEASE = `
lease AS (
  UPDATE agent_data_source_payload SET building_until = now() + $5::int * interval '1 millisecond'
   WHERE job_id = $1 AND run = $2 AND format = $3 AND body_id = $4 AND NOT ready
  RETURNING body_id, building_until
)`;
