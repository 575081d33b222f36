import type { StoredPayload } from '../domain/claimed-delivery.js';
import type { JobKey } from '../domain/job-completed.js';
import type { Database } from '../database/database.js';

/** The build of a job's parts, identified by its lease. */
export interface PartsBuild extends JobKey {
  /** The recipe's name under which the lease is stored. */
  readonly group: string;
  readonly buildId: string;
}

/** Position of a part's next chunk. The part's body id contains the build id, so that its owner can be found. */
export interface PartChunk {
  readonly bodyId: string;
  readonly seq: number;
  readonly bytes: Buffer;
}

/**
 * Stores the parts of a job while they are built. One lease covers all of them; each write extends it and is refused
 * without it. The parts become ready together: if a row is invalid, no part is sent.
 */
export class PartStore {
  readonly #database: Database;
  readonly #buildLeaseMs: number;

  /** @param buildLeaseMs a builder that has not been heard from for this long is considered dead */
  constructor(database: Database, buildLeaseMs: number) {
    this.#database = database;
    this.#buildLeaseMs = buildLeaseMs;
  }

  /** Of these recipes, those that a delivery needs and that are not ready. */
  async wanted({ workspaceId, jobId, run }: JobKey, recipes: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#database.prepared<{ recipe: string }>(
      `SELECT DISTINCT d.recipe FROM agent_data_source_delivery d
        WHERE d.workspace_id = $1 AND d.job_id = $2 AND d.run = $3 AND d.recipe = ANY ($4) AND d.part_count > 1
          AND d.settled_at IS NULL
          AND NOT EXISTS (
            SELECT FROM agent_data_source_payload p
             WHERE p.workspace_id = d.workspace_id AND p.job_id = d.job_id AND p.run = d.run AND p.format = d.recipe
               AND p.ready)`,
      [workspaceId, jobId, run, recipes],
    );
    return new Set(found.map(({ recipe }) => recipe));
  }

  /** @returns false when another builder has taken over and nothing was written */
  async appendChunk(build: PartsBuild, { bodyId, seq, bytes }: PartChunk): Promise<boolean> {
    const written = await this.#database.prepared(
      `WITH ${LEASE}
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
       SELECT $7, $8::int, $9::bytea FROM lease RETURNING seq`,
      [...this.#leaseOf(build), bodyId, seq, bytes],
    );
    return written.length === 1;
  }

  /** Writes the last chunk of a part, which is usually its only one, and the part's digests. */
  async finishPart(build: PartsBuild, recipe: string, payload: StoredPayload, last: PartChunk): Promise<boolean> {
    const written = await this.#database.prepared(
      `WITH ${LEASE},
       part AS (
         INSERT INTO agent_data_source_payload AS p
           (workspace_id, job_id, run, format, body_id, ready, building_until, sha256, byte_count, row_count)
         SELECT $1, $2, $3, $10, $7, false, building_until, $11::bytea, $12::bigint, $13::bigint FROM lease
         ON CONFLICT (workspace_id, job_id, run, format) DO UPDATE
           SET body_id = excluded.body_id, building_until = excluded.building_until,
               sha256 = excluded.sha256, byte_count = excluded.byte_count, row_count = excluded.row_count
           WHERE NOT p.ready
         RETURNING body_id
       )
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
       SELECT body_id, $8::int, $9::bytea FROM part RETURNING seq`,
      [
        ...[...this.#leaseOf(build), last.bodyId, last.seq, last.bytes],
        ...[recipe, Buffer.from(payload.sha256, 'hex'), payload.bytes, payload.rows],
      ],
    );
    return written.length === 1;
  }

  /** Makes all parts of a build ready. @returns false when another builder has taken over */
  async publish(build: PartsBuild): Promise<boolean> {
    const held = await this.#database.prepared(
      `WITH ${LEASE},
       ready AS (
         UPDATE agent_data_source_payload p SET ready = true, building_until = NULL FROM lease
          WHERE p.workspace_id = $1 AND p.job_id = $2 AND p.run = $3 AND NOT p.ready
            AND p.body_id <> lease.body_id AND split_part(p.body_id, '.', 1) = lease.body_id
       )
       SELECT body_id FROM lease`,
      this.#leaseOf(build),
    );
    return held.length === 1;
  }

  /** Releases the lease and drops unpublished parts; their chunks are orphans for the sweep. */
  async end({ workspaceId, jobId, run, buildId }: PartsBuild): Promise<void> {
    await this.#database.execute(
      `DELETE FROM agent_data_source_payload
        WHERE workspace_id = $1 AND job_id = $2 AND run = $3 AND NOT ready AND split_part(body_id, '.', 1) = $4`,
      [workspaceId, jobId, run, buildId],
    );
  }

  #leaseOf({ workspaceId, jobId, run, group, buildId }: PartsBuild): unknown[] {
    return [workspaceId, jobId, run, group, buildId, this.#buildLeaseMs];
  }
}

/** Extends the lease of a build; no row if another builder has it. */
const LEASE = `
lease AS (
  UPDATE agent_data_source_payload SET building_until = now() + $6::int * interval '1 millisecond'
   WHERE workspace_id = $1 AND job_id = $2 AND run = $3 AND format = $4 AND body_id = $5 AND NOT ready
  RETURNING body_id, building_until
)`;
