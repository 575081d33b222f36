import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { StopSignal } from '../tools/cancellation.js';
import type { StoredPayload } from '../domain/claimed-delivery.js';
import { NaturalBatcher } from '../tools/natural-batcher.js';
import { Database } from '../database/database.js';
import { PartStore } from './part-store.js';
import type { PayloadKey } from './payload-key.js';
import { storeWholes, type UnstoredBody, WHOLES } from './whole-payload.sql.js';

/** A builder that was killed is waited for this long. One that loses its lease loses work of its own alone. */
const LONGEST_BUILD_LEASE_MS = 10_000;
/** Extensions per lease, so that one that is late or lost does not lose the lease. */
const EXTENSIONS_PER_LEASE = 3;

/** Payload rows and their chunks. Every build has its own `bodyId`, so that chunks of two builds never mix. */
@Injectable()
export class PayloadStore {
  /** Bodies of jobs that are pushed in parts. */
  readonly parts: PartStore;
  /** Interval of lease extensions. */
  readonly extendEveryMs: number;
  readonly #buildLeaseMs: number;
  readonly #wholes: NaturalBatcher<UnstoredBody, boolean>;

  constructor(
    private readonly database: Database,
    @Inject(OPTIONS) { leaseMs }: ResolvedDataSinksOptions,
  ) {
    this.#buildLeaseMs = Math.min(leaseMs, LONGEST_BUILD_LEASE_MS);
    this.parts = new PartStore(database, this.#buildLeaseMs);
    this.extendEveryMs = this.#buildLeaseMs / EXTENSIONS_PER_LEASE;
    this.#wholes = new NaturalBatcher((items) => this.#insertWholes(items), { maxBatch: 64 });
  }

  async find(key: PayloadKey): Promise<StoredPayload | null> {
    const [found] = await this.database.prepared<StoredPayload>(
      `SELECT body_id AS "bodyId", encode(sha256, 'hex') AS sha256, byte_count::float8 AS bytes, row_count::float8 AS rows
         FROM agent_data_source_payload WHERE ${OF_KEY} AND ready`,
      keyOf(key),
    );
    return found ?? null;
  }

  /** Stores a body of one chunk. @returns false when another one is stored or being built */
  insertWhole(key: PayloadKey, payload: StoredPayload, chunk: Buffer): Promise<boolean> {
    return this.#wholes.add({ key, payload, chunk });
  }

  /** Starts a body of several chunks. @returns false when it exists or another builder holds its lease */
  async beginBuild(key: PayloadKey, bodyId: string): Promise<boolean> {
    const begun = await this.database.prepared(
      `INSERT INTO agent_data_source_payload AS p
         (workspace_id, job_id, run, format, body_id, ready, building_until)
       VALUES ($1, $2, $3, $4, $5, false, now() + $6::int * interval '1 millisecond')
       ON CONFLICT (workspace_id, job_id, run, format)
         DO UPDATE SET body_id = excluded.body_id, building_until = excluded.building_until
         WHERE NOT p.ready AND p.building_until < now()
       RETURNING body_id`,
      [...keyOf(key), bodyId, this.#buildLeaseMs],
    );
    return begun.length === 1;
  }

  /**
   * Extends the lease of a build without writing.
   * @returns false when another builder has taken over, or it is complete
   */
  async extendBuild(key: PayloadKey, bodyId: string): Promise<boolean> {
    const extended = await this.database.execute(
      `UPDATE agent_data_source_payload SET building_until = now() + $6::int * interval '1 millisecond'
        WHERE ${OF_KEY} AND body_id = $5 AND NOT ready`,
      [...keyOf(key), bodyId, this.#buildLeaseMs],
    );
    return extended === 1;
  }

  /** @returns false when another builder has taken over and nothing was written */
  async appendChunk(key: PayloadKey, bodyId: string, seq: number, chunk: Buffer): Promise<boolean> {
    const written = await this.database.prepared(
      `WITH building AS (
         UPDATE agent_data_source_payload SET building_until = now() + $8::int * interval '1 millisecond'
          WHERE ${OF_KEY} AND body_id = $5 AND NOT ready
         RETURNING body_id
       )
       INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes) SELECT body_id, $6, $7 FROM building
       RETURNING seq`,
      [...keyOf(key), bodyId, seq, chunk, this.#buildLeaseMs],
    );
    return written.length === 1;
  }

  /** @returns false when another builder has taken over */
  async finishBuild(key: PayloadKey, payload: StoredPayload): Promise<boolean> {
    const finished = await this.database.execute(
      `UPDATE agent_data_source_payload
          SET ready = true, building_until = NULL, sha256 = $6, byte_count = $7, row_count = $8
        WHERE ${OF_KEY} AND body_id = $5 AND NOT ready`,
      [...keyOf(key), payload.bodyId, Buffer.from(payload.sha256, 'hex'), payload.bytes, payload.rows],
    );
    return finished === 1;
  }

  /**
   * Gives up a build, so that the next attempt need not wait for its lease to expire. A complete body stays, even if
   * its builder got no answer.
   */
  async abandonBuild(key: PayloadKey, bodyId: string): Promise<void> {
    await this.database.execute(
      `DELETE FROM agent_data_source_payload
        WHERE ${OF_KEY} AND body_id = $5 AND NOT ready`,
      [...keyOf(key), bodyId],
    );
    await this.database.execute(
      `DELETE FROM agent_data_source_payload_chunk
        WHERE body_id = $1 AND NOT EXISTS (SELECT FROM agent_data_source_payload WHERE body_id = $1)`,
      [bodyId],
    );
  }

  /** Chunks in order, in their stored form. */
  async readChunks(bodyId: string, fromSeq: number, limit: number): Promise<Buffer[]> {
    const chunks = await this.database.prepared<{ bytes: Buffer }>(
      'SELECT bytes FROM agent_data_source_payload_chunk WHERE body_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3',
      [bodyId, fromSeq, limit],
    );
    return chunks.map((row) => row.bytes);
  }

  /**
   * Deletes orphaned chunks of dead or overtaken builders. A part that is being built has no row yet, but its build
   * has: `pld_….3` is the third part of `pld_…`.
   */
  async sweepOrphans(stop?: StopSignal): Promise<void> {
    while (!stop?.aborted) {
      const removed = await this.database.execute(`DELETE FROM agent_data_source_payload_chunk c
          WHERE c.body_id IN (
            SELECT DISTINCT o.body_id FROM agent_data_source_payload_chunk o
             WHERE NOT EXISTS (SELECT FROM agent_data_source_payload p WHERE p.body_id = o.body_id)
               AND NOT EXISTS (
                 SELECT FROM agent_data_source_payload b WHERE b.body_id = split_part(o.body_id, '.', 1))
             LIMIT 100)`);
      if (removed === 0) return;
    }
  }

  async #insertWholes(items: readonly UnstoredBody[]): Promise<boolean[]> {
    const stored = await this.database.prepared<{ bodyId: string }>(STORE_WHOLES, WHOLES.valuesOf(items));
    const bodyIds = new Set(stored.map(({ bodyId }) => bodyId));
    return items.map(({ payload }) => bodyIds.has(payload.bodyId));
  }
}

const STORE_WHOLES = `WITH ${storeWholes(1)} SELECT body_id AS "bodyId" FROM stored`;

/** Condition for the row of a body, by `keyOf`. */
const OF_KEY = 'workspace_id = $1 AND job_id = $2 AND run = $3 AND format = $4';

function keyOf({ workspaceId, jobId, run, recipe }: PayloadKey): unknown[] {
  return [workspaceId, jobId, run, recipe];
}
