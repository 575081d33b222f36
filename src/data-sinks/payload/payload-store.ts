import type { EntityManager } from 'typeorm';
import type { StopSignal } from '../core/cancellation.js';
import type { StoredPayload } from '../core/claimed-delivery.js';
import type { JobKey } from '../core/job-completed.js';
import { NaturalBatcher } from '../core/natural-batcher.js';
import { PartStore } from './part-store.js';

/** Which body: one is made per job, run and recipe. */
export interface PayloadKey extends JobKey {
  /** The recipe's name; it is kept in the column `format`. */
  readonly recipe: string;
}

/** So that one that is late, or whose connection was lost, is not yet the loss of the lease. */
const EXTENSIONS_PER_LEASE = 3;

interface WholePayload {
  readonly key: PayloadKey;
  readonly payload: StoredPayload;
  readonly chunk: Buffer;
}

/** Payload rows and their chunks. Every build has its own `bodyId`, so that two builds can never mix their chunks. */
export class PayloadStore {
  /** The parts of jobs that are pushed in several. */
  readonly parts: PartStore;
  /** How often a builder says that it is alive. */
  readonly extendEveryMs: number;
  readonly #manager: Pick<EntityManager, 'query'>;
  readonly #buildLeaseMs: number;
  readonly #wholes: NaturalBatcher<WholePayload, boolean>;

  /** @param buildLeaseMs a builder that was not heard of for so long is taken for dead */
  constructor(manager: Pick<EntityManager, 'query'>, buildLeaseMs: number) {
    this.#manager = manager;
    this.#buildLeaseMs = buildLeaseMs;
    this.parts = new PartStore(manager, buildLeaseMs);
    this.extendEveryMs = buildLeaseMs / EXTENSIONS_PER_LEASE;
    this.#wholes = new NaturalBatcher((items) => this.#insertWholes(items), { maxBatch: 64 });
  }

  async find(key: PayloadKey): Promise<StoredPayload | null> {
    const [row] = await this.#query<{ body_id: string; sha256: Buffer; byte_count: string; row_count: string }>(
      `SELECT body_id, sha256, byte_count, row_count FROM agent_data_source_payload
        WHERE job_id = $1 AND run = $2 AND format = $3 AND ready`,
      [key.jobId, key.run, key.recipe],
    );
    return row
      ? {
          bodyId: row.body_id,
          sha256: row.sha256.toString('hex'),
          bytes: Number(row.byte_count),
          rows: Number(row.row_count),
        }
      : null;
  }

  /** Stores a body of one chunk. @returns false when another one was stored or is being built */
  insertWhole(key: PayloadKey, payload: StoredPayload, chunk: Buffer): Promise<boolean> {
    return this.#wholes.add({ key, payload, chunk });
  }

  /** Begins a body of many chunks. @returns false when a finished one exists or a living builder is at it */
  async beginBuild(key: PayloadKey, bodyId: string): Promise<boolean> {
    const begun = await this.#query(
      `INSERT INTO agent_data_source_payload AS p (job_id, run, format, body_id, ready, building_until)
       VALUES ($1, $2, $3, $4, false, now() + $5::int * interval '1 millisecond')
       ON CONFLICT (job_id, run, format) DO UPDATE SET body_id = excluded.body_id, building_until = excluded.building_until
         WHERE NOT p.ready AND p.building_until < now()
       RETURNING body_id`,
      [key.jobId, key.run, key.recipe, bodyId, this.#buildLeaseMs],
    );
    return begun.length === 1;
  }

  /**
   * Says that a build goes on, though nothing is written.
   * @returns false when another builder took over, or it is finished
   */
  async extendBuild(key: PayloadKey, bodyId: string): Promise<boolean> {
    const [, extended] = (await this.#manager.query(
      `UPDATE agent_data_source_payload SET building_until = now() + $5::int * interval '1 millisecond'
        WHERE job_id = $1 AND run = $2 AND format = $3 AND body_id = $4 AND NOT ready`,
      [key.jobId, key.run, key.recipe, bodyId, this.#buildLeaseMs],
    )) as [unknown, number];
    return extended === 1;
  }

  /** @returns false when another builder took over; nothing was written */
  async appendChunk(key: PayloadKey, bodyId: string, seq: number, chunk: Buffer): Promise<boolean> {
    const written = await this.#query(
      `WITH building AS (
         UPDATE agent_data_source_payload SET building_until = now() + $7::int * interval '1 millisecond'
          WHERE job_id = $1 AND run = $2 AND format = $3 AND body_id = $4 AND NOT ready
         RETURNING body_id
       )
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes) SELECT body_id, $5, $6 FROM building
       RETURNING seq`,
      [key.jobId, key.run, key.recipe, bodyId, seq, chunk, this.#buildLeaseMs],
    );
    return written.length === 1;
  }

  /** @returns false when another builder took over */
  async finishBuild(key: PayloadKey, payload: StoredPayload): Promise<boolean> {
    const [, finished] = (await this.#manager.query(
      `UPDATE agent_data_source_payload
          SET ready = true, building_until = NULL, sha256 = $5, byte_count = $6, row_count = $7
        WHERE job_id = $1 AND run = $2 AND format = $3 AND body_id = $4 AND NOT ready`,
      [key.jobId, key.run, key.recipe, payload.bodyId, Buffer.from(payload.sha256, 'hex'), payload.bytes, payload.rows],
    )) as [unknown, number];
    return finished === 1;
  }

  /**
   * Gives up a build at once, so that the next attempt need not wait for the lease to run out. A body that is ready stays,
   * also when whoever finished it was not told.
   */
  async abandonBuild(key: PayloadKey, bodyId: string): Promise<void> {
    await this.#manager.query(
      `DELETE FROM agent_data_source_payload
        WHERE job_id = $1 AND run = $2 AND format = $3 AND body_id = $4 AND NOT ready`,
      [key.jobId, key.run, key.recipe, bodyId],
    );
    await this.#manager.query(
      `DELETE FROM agent_data_source_payload_chunk
        WHERE body_id = $1 AND NOT EXISTS (SELECT FROM agent_data_source_payload WHERE body_id = $1)`,
      [bodyId],
    );
  }

  /** Some chunks in order, compressed as they are stored. */
  async readChunks(bodyId: string, fromSeq: number, limit: number): Promise<Buffer[]> {
    const chunks = await this.#query<{ bytes: Buffer }>(
      'SELECT bytes FROM agent_data_source_payload_chunk WHERE body_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3',
      [bodyId, fromSeq, limit],
    );
    return chunks.map((row) => row.bytes);
  }

  /**
   * Removes chunks that belong to no payload: what builders left that died or were overtaken, whichever of a body's they
   * wrote. A part that is being made has no row of its own yet, but its build has: `pld_….3` is the third part of `pld_…`.
   */
  async sweepOrphans(stop?: StopSignal): Promise<void> {
    while (!stop?.aborted) {
      const [, removed] = (await this.#manager.query(
        `DELETE FROM agent_data_source_payload_chunk c
          WHERE c.body_id IN (
            SELECT DISTINCT o.body_id FROM agent_data_source_payload_chunk o
             WHERE NOT EXISTS (SELECT FROM agent_data_source_payload p WHERE p.body_id = o.body_id)
               AND NOT EXISTS (
                 SELECT FROM agent_data_source_payload b WHERE b.body_id = split_part(o.body_id, '.', 1))
             LIMIT 100)`,
      )) as [unknown, number];
      if (removed === 0) return;
    }
  }

  async #insertWholes(items: readonly WholePayload[]): Promise<boolean[]> {
    const stored = await this.#query<{ body_id: string }>(INSERT_WHOLES, [
      items.map(({ key }) => key.jobId),
      items.map(({ key }) => key.run),
      items.map(({ key }) => key.recipe),
      items.map(({ payload }) => payload.bodyId),
      items.map(({ payload }) => Buffer.from(payload.sha256, 'hex')),
      items.map(({ payload }) => payload.bytes),
      items.map(({ payload }) => payload.rows),
      items.map(({ chunk }) => chunk),
    ]);
    const bodyIds = new Set(stored.map((row) => row.body_id));
    return items.map(({ payload }) => bodyIds.has(payload.bodyId));
  }

  async #query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return (await this.#manager.query(sql, parameters)) as T[];
  }
}

/** In the order of their keys: two processes that store bodies of the same jobs wait for each other in one direction. */
const INSERT_WHOLES = `
WITH made AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[],
                       $8::bytea[])
    AS m (job_id, run, format, body_id, sha256, byte_count, row_count, bytes)
),
stored AS (
  INSERT INTO agent_data_source_payload AS p (job_id, run, format, body_id, ready, sha256, byte_count, row_count)
  SELECT job_id, run, format, body_id, true, sha256, byte_count, row_count FROM made ORDER BY job_id, run, format
  ON CONFLICT (job_id, run, format) DO UPDATE
    SET body_id = excluded.body_id, ready = true, building_until = NULL,
        sha256 = excluded.sha256, byte_count = excluded.byte_count, row_count = excluded.row_count
    WHERE NOT p.ready AND p.building_until < now()
  RETURNING body_id
)
INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
SELECT m.body_id, 0, m.bytes FROM made m JOIN stored s ON s.body_id = m.body_id
RETURNING body_id`;
