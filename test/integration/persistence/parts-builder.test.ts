import { createHash } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobKey, MappingResultRow } from '../../../src/data-sinks/domain/job-completed.js';
import { BodyThreadClient } from '../../../src/data-sinks/payload/body-thread-client.js';
import { PayloadBodies } from '../../../src/data-sinks/payload/payload-bodies.js';
import { PayloadBuilder } from '../../../src/data-sinks/payload/payload-builder.js';
import { expirePayloads } from '../../../src/data-sinks/payload/payload-expiry.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import type { MappingResults } from '../../../src/data-sinks/ports/mapping-results.js';
import { ModuleDatabase, newId } from './module-database.js';
import { Telemetry } from '../../../src/data-sinks/telemetry/telemetry.js';
import { stub } from '../../support/stub.js';

let database: ModuleDatabase;
let sink: string;
const bodyThread = new BodyThreadClient();
const LEASE_MS = 60_000;
const JOB = { jobId: 'job_1', run: 1 };
const factsOf = (total: number) => ({
  ...{ agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date('2026-05-25T12:34:56Z') },
  stats: { total, matched: total, unmatched: 0 },
});

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(async () => {
  await database.clear();
  sink = await database.sink();
});
afterAll(async () => {
  await bodyThread.close();
  await database.dataSource.destroy();
});

const row = (i: number): MappingResultRow => ({
  ...{ partnerRowId: `row_${i}`, referenceHotelId: `ref_${i}` },
  ...{ matchMethod: 'STANDARD', matchConfidence: null },
});

/** Counts how often the rows are read, and how far. */
class CountedResults {
  passes = 0;
  asked = 0;
  meanwhile: ((asked: number) => Promise<void>) | null = null;

  constructor(
    private readonly rows: number,
    private readonly batch = 3,
    private readonly made: (i: number) => MappingResultRow = row,
  ) {}

  async streamRows(_job: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]>> {
    this.passes++;
    return this.#batches();
  }

  async *#batches(): AsyncGenerator<readonly MappingResultRow[]> {
    for (let at = 0; at < this.rows; at += this.batch) {
      this.asked = Math.min(at + this.batch, this.rows);
      await this.meanwhile?.(this.asked);
      yield Array.from({ length: this.asked - at }, (_, i) => this.made(at + i));
    }
  }
}

const store = () => new PayloadStore(databaseOf(database.manager), stub({ leaseMs: LEASE_MS }));
const recipe = (part: number, of: number, kind = 'JSON') => `${kind};rows=4;part=${part}/${of}`;

/** Makes deliveries that wait for these parts. */
async function wait(of: number, kind = 'JSON', parts = Array.from({ length: of }, (_, i) => i + 1)): Promise<void> {
  for (const part of parts) {
    const about = { job_id: JOB.jobId, recipe: recipe(part, of, kind), part, part_count: of };
    await database.delivery(sink, about);
  }
}

/** A worker of its own. @param total how many rows the job has said that it has */
function worker(results: Pick<MappingResults, 'streamRows'>, total = 10) {
  const bodies = new PayloadBodies(
    new PayloadBuilder(stub(results), store(), newId, bodyThread),
    store(),
    stub({ payloadCacheBytes: 0 }),
    new Telemetry(),
  );
  const obtain = (part: number, of: number, kind?: string) =>
    bodies.obtain({ ...JOB, ...factsOf(total), recipe: recipe(part, of, kind), payload: null });
  return { bodies, obtain };
}

async function bytesOf(body: { open(): AsyncIterable<Buffer> }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const rowsOf = (bytes: Buffer) =>
  (JSON.parse(String(bytes)) as { results: MappingResultRow[] }).results.map(({ partnerRowId }) => partnerRowId);
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `row_${from + i}`);
const readyRows = () =>
  database.all<{ format: string }>('SELECT format FROM agent_data_source_payload WHERE ready ORDER BY format');
const all = () => database.all('SELECT format FROM agent_data_source_payload');

describe('the parts of a job', () => {
  it('are built in one pass over its rows, each complete in its format', async () => {
    await wait(3);
    const results = new CountedResults(10);
    const { obtain } = worker(results);
    const bodies = await Promise.all([obtain(2, 3), obtain(1, 3), obtain(3, 3)]);
    expect(results.passes).toBe(1);
    const parts = await Promise.all(bodies.map(bytesOf));
    expect(parts.map(rowsOf)).toEqual([ids(4, 8), ids(0, 4), ids(8, 10)]);
    for (const [i, part] of parts.entries()) {
      expect(JSON.parse(String(part))).toMatchObject({
        jobId: 'job_1',
        stats: { total: 10, matched: 10, unmatched: 0 },
      });
      const { sha256, bytes, rows } = bodies[i]?.payload ?? { sha256: '', bytes: 0, rows: 0 };
      expect(createHash('sha256').update(part).digest('hex')).toBe(sha256);
      expect([bytes, rows]).toEqual([part.length, rowsOf(part).length]);
    }
    expect(await all()).toHaveLength(3);
  });

  it('are reused by later deliveries, without another pass', async () => {
    await wait(3);
    const [first, second] = [new CountedResults(10), new CountedResults(10)];
    const made = await worker(first).obtain(1, 3);
    const found = await worker(second).obtain(1, 3);
    expect(second.passes).toBe(0);
    expect(found.payload).toEqual(made.payload);
  });

  it.each([
    ['fewer rows than it said', 5, 'ended after 5 of the 10 rows of stats.total'],
    ['no rows', 0, 'ended after 0 of the 10 rows of stats.total'],
    ['more rows than it said', 17, 'returned more rows than stats.total (10)'],
  ])('of a job with %s are not built', async (_what, rows, what) => {
    await wait(3);
    const made = worker(new CountedResults(rows)).obtain(1, 3);
    await expect(made).rejects.toMatchObject({
      code: 'results_invalid',
      message: `MappingResults.streamRows() ${what}`,
    });
    expect(await all()).toEqual([]);
  });

  it('are only those that a delivery waits for', async () => {
    await wait(25, 'JSON', [2]);
    const results = new CountedResults(100);
    const { obtain } = worker(results, 100);
    expect(rowsOf(await bytesOf(await obtain(2, 25)))).toEqual(ids(4, 8));
    expect(await readyRows()).toEqual([{ format: recipe(2, 25) }]);
  });

  it('are not built when any part, even an unused one, has an invalid row', async () => {
    await wait(25, 'JSON', [2]);
    const results = new CountedResults(100, 3, (i) => (i === 99 ? { ...row(i), partnerRowId: '' } : row(i)));
    await expect(worker(results, 100).obtain(2, 25)).rejects.toMatchObject({ code: 'results_invalid' });
    expect(await readyRows()).toEqual([]);
  });

  it('have the same bytes when rebuilt, compressed or not, whatever the host’s batches', async () => {
    await wait(2, 'CSV;gzip');
    const made = async (batch: number) => {
      await database.all('DELETE FROM agent_data_source_payload');
      return bytesOf(await worker(new CountedResults(8, batch), 8).obtain(1, 2, 'CSV;gzip'));
    };
    const [first, again] = [await made(1), await made(500)];
    expect(again.equals(first)).toBe(true);
    expect(gunzipSync(first).toString()).toMatch(/^partnerRowId,.*\r\nrow_0,ref_0,STANDARD,\r\n/);
  });
});

describe('a build that fails', () => {
  it('because of invalid rows stores no part at all', async () => {
    await wait(3);
    const bad = (i: number) => ({ ...row(i), partnerRowId: i === 9 ? '' : `row_${i}` });
    const { obtain } = worker(new CountedResults(10, 3, bad));
    await expect(obtain(1, 3)).rejects.toMatchObject({ code: 'results_invalid' });
    expect(await all()).toEqual([]);
    await store().sweepOrphans();
    expect(await database.all('SELECT body_id FROM agent_data_source_payload_chunk')).toEqual([]);
  });

  it('because of too many parts reads no rows', async () => {
    const results = new CountedResults(10);
    await expect(worker(results).obtain(1, 1_001)).rejects.toMatchObject({ code: 'too_many_parts' });
    expect(results.passes).toBe(0);
  });

  it('excludes a second builder, and is not swept while it runs', async () => {
    await wait(3);
    const [results, others] = [new CountedResults(10), new CountedResults(10)];
    const seen: unknown[] = [];
    results.meanwhile = async (asked) => {
      if (asked < 9) return;
      await store().sweepOrphans();
      seen.push(await readyRows());
      seen.push(
        await worker(others)
          .obtain(3, 3)
          .catch(({ code }: { code: string }) => code),
      );
    };
    const body = await worker(results).obtain(1, 3);
    expect(seen.slice(0, 2)).toEqual([[], 'payload_being_built']);
    expect(others.passes).toBe(0);
    expect(rowsOf(await bytesOf(body))).toEqual(ids(0, 4));
    expect(await readyRows()).toHaveLength(3);
  });

  it('is taken over from a dead builder, whose late writes have no effect', async () => {
    await wait(3);
    const [slow, quick] = [new CountedResults(10), new CountedResults(10)];
    let taken: { payload: { bodyId: string } } | null = null;
    slow.meanwhile = async (asked) => {
      if (asked < 9 || taken) return;
      await database.advance(LEASE_MS + 1);
      taken = await worker(quick).obtain(2, 3);
    };
    await expect(worker(slow).obtain(1, 3)).rejects.toMatchObject({ code: 'payload_being_built' });
    expect(quick.passes).toBe(1);
    const found = await Promise.all([1, 2, 3].map((part) => worker(quick).obtain(part, 3)));
    const [build] = (taken as { payload: { bodyId: string } } | null)?.payload.bodyId.split('.') ?? [];
    expect(found.map(({ payload }) => payload.bodyId)).toEqual([1, 2, 3].map((part) => `${build}.${part}`));
    expect((await Promise.all(found.map(bytesOf))).map(rowsOf)).toEqual([ids(0, 4), ids(4, 8), ids(8, 10)]);
    await store().sweepOrphans();
    expect(await database.all('SELECT body_id FROM agent_data_source_payload_chunk')).toHaveLength(3);
    expect(await all()).toHaveLength(3);
  });

  it('and whose builder died leaves nothing behind', async () => {
    await wait(3);
    const results = new CountedResults(10);
    results.meanwhile = async (asked) => {
      if (asked < 9) return;
      // Its process is gone: not even the lease is given back.
      await database.all(`UPDATE agent_data_source_payload SET body_id = 'pld_dead.' || right(body_id, 1)
                           WHERE body_id LIKE '%._'`);
      await database.all(`UPDATE agent_data_source_payload SET body_id = 'pld_dead' WHERE format LIKE '%part=0/3'`);
    };
    await expect(worker(results).obtain(1, 3)).rejects.toMatchObject({ code: 'payload_being_built' });
    expect(await all()).not.toEqual([]);
    await database.all(`UPDATE agent_data_source_delivery SET status = 'CANCELLED', settled_at = now()`);
    await database.advance(10 * LEASE_MS);
    await expirePayloads(databaseOf(database.manager), LEASE_MS);
    expect(await all()).toEqual([]);
    await store().sweepOrphans();
    expect(await database.all('SELECT body_id FROM agent_data_source_payload_chunk')).toEqual([]);
  });

  it('because its bytes were erased starts again', async () => {
    await wait(3);
    const results = new CountedResults(10);
    results.meanwhile = async (asked) => {
      if (asked >= 9) await database.all('DELETE FROM agent_data_source_payload');
    };
    const { obtain } = worker(results);
    await expect(obtain(1, 3)).rejects.toMatchObject({ code: 'payload_being_built' });
    results.meanwhile = null;
    expect(rowsOf(await bytesOf(await obtain(1, 3)))).toEqual(ids(0, 4));
  });
});

describe('a job of 100,000 rows in ten parts', () => {
  it.each(['JSON', 'CSV;gzip'])('is made in one pass and little memory, in %s', async (kind) => {
    const [total, of] = [100_000, 10];
    for (let part = 1; part <= of; part++) {
      const name = `${kind};rows=10000;part=${part}/${of}`;
      await database.delivery(sink, { job_id: JOB.jobId, recipe: name, part, part_count: of });
    }
    const results = new CountedResults(total, 1_000);
    let mostHeld = 0;
    results.meanwhile = async (asked) => {
      // What was asked for and is not stored is held.
      const [row] = await database.all<{ rows: string }>(
        `SELECT coalesce(sum(row_count), 0) AS rows FROM agent_data_source_payload`,
      );
      mostHeld = Math.max(mostHeld, asked - Number(row?.rows));
    };
    const bodies = new PayloadBodies(
      new PayloadBuilder(stub(results), store(), newId, bodyThread),
      store(),
      stub({ payloadCacheBytes: 0 }),
      new Telemetry(),
    );
    const body = await bodies.obtain({
      ...JOB,
      ...factsOf(total),
      recipe: `${kind};rows=10000;part=10/10`,
      payload: null,
    });
    expect(results.passes).toBe(1);
    expect(body.payload.rows).toBe(10_000);
    expect(await readyRows()).toHaveLength(of);
    expect(mostHeld).toBeLessThanOrEqual(11_000);
  });
});
