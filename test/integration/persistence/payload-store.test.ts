import { createHash, createHmac } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobCompleted, MappingResultRow } from '../../../src/data-sinks/domain/job-completed.js';
import { BodyThreadClient } from '../../../src/data-sinks/payload/body-thread-client.js';
import { PayloadBodies } from '../../../src/data-sinks/payload/payload-bodies.js';
import { PayloadBuilder } from '../../../src/data-sinks/payload/payload-builder.js';
import type { PayloadKey } from '../../../src/data-sinks/payload/payload-key.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { InMemoryMappingResults } from '../../../src/data-sinks/testing/index.js';
import { ModuleDatabase, newId } from './module-database.js';
import { Telemetry } from '../../../src/data-sinks/telemetry/telemetry.js';
import { stub } from '../../support/stub.js';

let database: ModuleDatabase;
let store: PayloadStore;

const bodyThread = new BodyThreadClient();
const LEASE_MS = 10_000;
const KEY: PayloadKey = { workspaceId: 'ws_1', jobId: 'job_1', run: 1, recipe: 'JSON' };

beforeAll(async () => {
  database = await ModuleDatabase.open();
  store = new PayloadStore(databaseOf(database.manager), stub({ leaseMs: LEASE_MS }));
});
beforeEach(() => database.clear());
afterAll(async () => {
  await bodyThread.close();
  await database.dataSource.destroy();
});

const payload = (bodyId: string, bytes = 3) => ({ bodyId, sha256: 'ab'.repeat(32), bytes, rows: 1 });
const text = async (bodyId: string) => (await store.readChunks(bodyId, 0, 100)).map((chunk) => chunk.toString());
const stored = () =>
  database.all<{ body_id: string; seq: number }>(
    'SELECT body_id, seq FROM agent_data_source_payload_chunk ORDER BY 1, 2',
  );

describe('a body of one chunk', () => {
  it('is stored whole, or not at all when another builder was first', async () => {
    expect(await store.insertWhole(KEY, payload('pld_1'), Buffer.from('one'))).toBe(true);
    expect(await store.insertWhole(KEY, payload('pld_2'), Buffer.from('two'))).toBe(false);
    expect(await store.find(KEY)).toEqual(payload('pld_1'));
    expect(await stored()).toEqual([{ body_id: 'pld_1', seq: 0 }]);
  });

  it('is stored together with those of other jobs, each under its own key', async () => {
    const keys = Array.from({ length: 10 }, (_, i) => ({ ...KEY, jobId: `job_${i}` }));
    const done = await Promise.all(
      keys.map((key, i) => store.insertWhole(key, payload(`pld_${i}`), Buffer.from(`${i}`))),
    );
    expect(done).toEqual(keys.map(() => true));
    for (const [i, key] of keys.entries()) {
      expect(await store.find(key)).toEqual(payload(`pld_${i}`));
      expect(await text(`pld_${i}`)).toEqual([`${i}`]);
    }
  });

  it('of another run is another body', async () => {
    await store.insertWhole(KEY, payload('pld_1'), Buffer.from('one'));
    expect(await store.insertWhole({ ...KEY, run: 2 }, payload('pld_2'), Buffer.from('two'))).toBe(true);
    expect(await store.find({ ...KEY, run: 3 })).toBeNull();
  });
});

describe('a body of many chunks', () => {
  it('is not visible before it is complete', async () => {
    expect(await store.beginBuild(KEY, 'pld_1')).toBe(true);
    for (const [seq, part] of ['a', 'b', 'c'].entries()) {
      expect(await store.appendChunk(KEY, 'pld_1', seq, Buffer.from(part))).toBe(true);
      expect(await store.find(KEY)).toBeNull();
    }
    expect(await store.finishBuild(KEY, payload('pld_1'))).toBe(true);
    expect(await store.find(KEY)).toEqual(payload('pld_1'));
    expect(await text('pld_1')).toEqual(['a', 'b', 'c']);
    expect((await store.readChunks('pld_1', 1, 1)).map(String)).toEqual(['b']);
  });

  it('is built by one worker at a time', async () => {
    await store.beginBuild(KEY, 'pld_1');
    await database.advance(LEASE_MS - 1_000);
    expect(await store.beginBuild(KEY, 'pld_2')).toBe(false);
    expect(await store.insertWhole(KEY, payload('pld_3'), Buffer.from('x'))).toBe(false);
  });

  it('is not taken over from a slow builder that is alive', async () => {
    await store.beginBuild(KEY, 'pld_1');
    for (let seq = 0; seq < 4; seq++) {
      await database.advance(LEASE_MS - 1_000);
      expect(await store.beginBuild(KEY, 'pld_2')).toBe(false);
      expect(await store.appendChunk(KEY, 'pld_1', seq, Buffer.from('x'))).toBe(true);
    }
  });

  it('is taken over from a dead builder, and contains nothing of its chunks', async () => {
    await store.beginBuild(KEY, 'pld_dead');
    await store.appendChunk(KEY, 'pld_dead', 0, Buffer.from('dead 0'));
    await database.advance(LEASE_MS + 1);
    expect(await store.beginBuild(KEY, 'pld_new')).toBe(true);
    await store.appendChunk(KEY, 'pld_new', 0, Buffer.from('new 0'));
    // The dead one was only asleep, and goes on.
    expect(await store.appendChunk(KEY, 'pld_dead', 1, Buffer.from('dead 1'))).toBe(false);
    expect(await store.finishBuild(KEY, payload('pld_dead'))).toBe(false);
    await store.abandonBuild(KEY, 'pld_dead');
    await store.appendChunk(KEY, 'pld_new', 1, Buffer.from('new 1'));
    expect(await store.finishBuild(KEY, payload('pld_new'))).toBe(true);
    expect(await store.find(KEY)).toEqual(payload('pld_new'));
    expect(await text('pld_new')).toEqual(['new 0', 'new 1']);
  });

  it('that is complete cannot be started again, extended or given up', async () => {
    await store.beginBuild(KEY, 'pld_1');
    await store.appendChunk(KEY, 'pld_1', 0, Buffer.from('all of it'));
    await store.finishBuild(KEY, payload('pld_1'));
    await database.advance(10 * LEASE_MS);
    expect(await store.beginBuild(KEY, 'pld_2')).toBe(false);
    expect(await store.appendChunk(KEY, 'pld_1', 9, Buffer.from('x'))).toBe(false);
    expect(await store.finishBuild(KEY, payload('pld_1', 99))).toBe(false);
    await store.abandonBuild(KEY, 'pld_2');
    // Its builder may not have heard that it was finished.
    await store.abandonBuild(KEY, 'pld_1');
    expect(await store.find(KEY)).toEqual(payload('pld_1'));
    expect(await text('pld_1')).toEqual(['all of it']);
  });

  it('that was given up can be started at once, and leaves no chunk', async () => {
    await store.beginBuild(KEY, 'pld_1');
    await store.appendChunk(KEY, 'pld_1', 0, Buffer.from('x'));
    await store.abandonBuild(KEY, 'pld_1');
    expect(await stored()).toEqual([]);
    expect(await store.beginBuild(KEY, 'pld_2')).toBe(true);
  });
});

describe('the sweep of orphaned chunks', () => {
  it('removes chunks without a body, and no others', async () => {
    await store.insertWhole({ ...KEY, jobId: 'job_whole' }, payload('pld_whole'), Buffer.from('x'));
    await store.beginBuild(KEY, 'pld_dead');
    for (let seq = 0; seq < 3; seq++) await store.appendChunk(KEY, 'pld_dead', seq, Buffer.from('x'));
    await database.advance(LEASE_MS + 1);
    await store.beginBuild(KEY, 'pld_building');
    await store.appendChunk(KEY, 'pld_building', 0, Buffer.from('x'));
    await store.sweepOrphans();
    expect(await stored()).toEqual([
      { body_id: 'pld_building', seq: 0 },
      { body_id: 'pld_whole', seq: 0 },
    ]);
  });

  it('removes those of a builder that died before its first one was written', async () => {
    await store.beginBuild(KEY, 'pld_dead');
    for (const seq of [1, 2]) await store.appendChunk(KEY, 'pld_dead', seq, Buffer.from('x'));
    await database.advance(LEASE_MS + 1);
    await store.insertWhole(KEY, payload('pld_next'), Buffer.from('x'));
    await store.sweepOrphans();
    expect(await stored()).toEqual([{ body_id: 'pld_next', seq: 0 }]);
  });

  it('removes any number of chunks of any size', async () => {
    await database.all(
      `INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
       SELECT 'pld_' || n, seq, '' FROM generate_series(1, 150) n, generate_series(1, 1 + n % 150) seq`,
    );
    await store.sweepOrphans();
    expect(await stored()).toEqual([]);
  });
});

describe('a body from results to bytes and back', () => {
  function job(rowCount: number): { results: InMemoryMappingResults; completed: JobCompleted } {
    const rows = Array.from({ length: rowCount }, (_, i): MappingResultRow => ({
      partnerRowId: newId('attempt').replace('syn', 'row'),
      referenceHotelId: `ref_${i}`,
      matchMethod: 'STANDARD',
      matchConfidence: null,
    }));
    const stats = { total: rowCount, matched: rowCount, unmatched: 0 };
    const ids = { jobId: 'job_1', agentId: 'agt_1', workspaceId: 'ws_1' };
    const completed = { ...ids, completedAt: new Date('2026-05-25T12:34:56Z'), stats };
    const results = new InMemoryMappingResults(700);
    results.complete(completed, rows);
    return { results, completed };
  }

  it.each([0, 1, 30_000])(
    'of %i rows has one hash, on record, in memory and in every reading of the store',
    async (rowCount) => {
      const { results, completed } = job(rowCount);
      const request = { ...completed, ...KEY, payload: null };
      const bodies = (cacheBytes: number) =>
        new PayloadBodies(
          new PayloadBuilder(
            results,
            new PayloadStore(databaseOf(database.manager), stub({ leaseMs: LEASE_MS })),
            newId,
            bodyThread,
          ),
          store,
          stub({ payloadCacheBytes: cacheBytes }),
          new Telemetry(),
        );
      const first = await bodies(0).obtain(request);
      // A small one is stored with its attempt.
      expect(first.unstored === null).toBe(rowCount > 1);
      const { unstored } = first;
      if (unstored) await store.insertWhole(unstored.key, unstored.payload, unstored.chunk);
      const again = await bodies(64 * 1024 * 1024).obtain({ ...request, payload: first.payload });
      expect(first.payload.rows).toBe(rowCount);
      for (const body of [first, first, again]) {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const chunk of body.open()) {
          hash.update(chunk);
          bytes += chunk.length;
        }
        expect([hash.digest('hex'), bytes]).toEqual([first.payload.sha256, first.payload.bytes]);
      }
      expect(again.whole && createHash('sha256').update(again.whole).digest('hex')).toBe(first.payload.sha256);
      expect((JSON.parse(String(again.whole)) as { results: unknown[] }).results).toHaveLength(rowCount);
    },
  );

  it('closes the host’s rows when another worker is building it', async () => {
    const { results, completed } = job(30_000);
    const streams = { opened: 0, closed: 0 };
    const batches = results.streamRows.bind(results);
    results.streamRows = async (key) => {
      const read = await batches(key);
      return (async function* () {
        streams.opened++;
        try {
          yield* read ?? [];
        } finally {
          streams.closed++;
        }
      })();
    };
    expect(await store.beginBuild(KEY, 'pld_other')).toBe(true);
    const build = new PayloadBuilder(results, store, newId, bodyThread).build(KEY, completed);
    await expect(build).rejects.toMatchObject({ code: 'payload_being_built' });
    expect(streams).toEqual({ opened: 1, closed: 1 });
  });

  it('leaves nothing when the body thread dies, and is built by the next attempt', async () => {
    const { results, completed } = job(60_000);
    const dying = new BodyThreadClient();
    const batches = results.streamRows.bind(results);
    results.streamRows = async (key) => {
      const read = await batches(key);
      return (async function* () {
        let rows = 0;
        for await (const batch of read ?? []) {
          rows += batch.length;
          // Others of the chunks before are in its hands by then.
          if (rows > 40_000) await dying.close();
          yield batch;
        }
      })();
    };
    const build = new PayloadBuilder(results, store, newId, dying).build(KEY, completed);
    await expect(build).rejects.toThrow('the body thread has exited');
    expect([await stored(), await store.find(KEY)]).toEqual([[], null]);
    results.streamRows = batches;
    const { payload: made } = await new PayloadBuilder(results, store, newId, bodyThread).build(KEY, completed);
    expect(made.rows).toBe(60_000);
  });

  it('leaves nothing when its lease turns out to be lost at the end', async () => {
    const { results, completed } = job(30_000);
    const overtaken = new PayloadStore(databaseOf(database.manager), stub({ leaseMs: LEASE_MS }));
    overtaken.finishBuild = async (...given) => {
      await database.all('DELETE FROM agent_data_source_payload');
      return store.finishBuild(...given);
    };
    const build = new PayloadBuilder(results, overtaken, newId, bodyThread).build(KEY, completed);
    await expect(build).rejects.toMatchObject({ code: 'payload_being_built' });
    expect(await stored()).toEqual([]);
  });

  it('is built once for many that need it at the same time', async () => {
    const { results, completed } = job(10);
    const bodies = new PayloadBodies(
      new PayloadBuilder(results, store, newId, bodyThread),
      store,
      stub({ payloadCacheBytes: 1_000_000 }),
      new Telemetry(),
    );
    const all = await Promise.all(
      Array.from({ length: 10 }, () => bodies.obtain({ ...completed, ...KEY, payload: null })),
    );
    expect(new Set(all.map((body) => body.payload.bodyId)).size).toBe(1);
    // Whose attempt opens first stores it.
    expect([new Set(all.map((body) => body.unstored)).size, await stored()]).toEqual([1, []]);
    const [first] = all;
    if (first) bodies.settle(first);
    const next = await bodies.obtain({ ...completed, ...KEY, payload: null });
    expect(next.payload.bodyId).not.toBe(first?.payload.bodyId);
  });

  it.each([
    ['large one is given to who watches it', 30_000, true, 'watched'],
    ['large one is made all the same when who wanted to watch it cannot', 30_000, false, 'not watched'],
    ['small one is in memory in any case', 10, true, 'not watched'],
  ])('a %s', async (_name, rowCount, begins, expected) => {
    const { results, completed } = job(rowCount);
    const macs = [{ key: 'a key', prefix: 'dlv_1.' }];
    const seen: string[] = [];
    const watch = {
      begin: async () => {
        if (begins) return macs;
        throw new Error('the vault is away');
      },
      end: (digests: readonly Buffer[]) => void seen.push(...digests.map((digest) => digest.toString('hex'))),
    };
    const bodies = new PayloadBodies(
      new PayloadBuilder(results, store, newId, bodyThread),
      store,
      stub({ payloadCacheBytes: 0 }),
      new Telemetry(),
    );
    const body = await bodies.obtain({ ...completed, ...KEY, payload: null }, watch);
    expect(body.watchedBy === watch ? 'watched' : 'not watched').toBe(expected);
    const mac = createHmac('sha256', 'a key').update('dlv_1.');
    for await (const chunk of body.open()) mac.update(chunk);
    expect(seen).toEqual(expected === 'watched' ? [mac.digest('hex')] : []);
    if (body.unstored) await store.insertWhole(body.unstored.key, body.unstored.payload, body.unstored.chunk);
    const later = await bodies.obtain({ ...completed, ...KEY, payload: body.payload }, watch);
    expect(later.watchedBy).toBeNull();
  });

  it('is not sent when stored bytes are missing', async () => {
    const { results, completed } = job(30_000);
    const { payload: made } = await new PayloadBuilder(results, store, newId, bodyThread).build(KEY, completed);
    await database.all('DELETE FROM agent_data_source_payload_chunk WHERE body_id = $1 AND seq = 1', [made.bodyId]);
    const bodies = new PayloadBodies(
      new PayloadBuilder(results, store, newId, bodyThread),
      store,
      stub({ payloadCacheBytes: 0 }),
      new Telemetry(),
    );
    const body = await bodies.obtain({ ...completed, ...KEY, payload: made });
    const read = async () => {
      for await (const chunk of body.open()) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toMatchObject({ code: 'payload_corrupt' });
  });
});
