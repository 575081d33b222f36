import { describe, expect, it } from '@jest/globals';
import { Cancellation } from '../../../../src/data-sinks/tools/cancellation.js';
import { PayloadStore } from '../../../../src/data-sinks/payload/payload-store.js';
import { Retention } from '../../../../src/data-sinks/upkeep/retention.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';
import { newOutages } from '../../../support/outages.js';

describe('retention that is told to stop', () => {
  /** A database in which there is always more to be removed. */
  function endless(stopAt: RegExp) {
    const stop = new Cancellation();
    const late: string[] = [];
    let more = 3;
    const query = async (sql: string): Promise<unknown> => {
      if (stop.aborted) late.push(sql);
      if (late.length > 0) throw new Error('the database was taken away');
      if (/to_regclass|pg_inherits/.test(sql)) return [];
      if (!stopAt.test(sql)) return [];
      if (--more === 0) stop.abort('shutdown');
      if (/AS bytes/.test(sql)) return [{ payloads: 100, bytes: 1, created_at: '2026-01-01', body_id: 'pld_1' }];
      return Array.from({ length: 1_000 }, () => ({}));
    };
    const database = fakeDatabase(query, { now: async () => Date.now() });
    const periods = { payloadRetentionMs: 1, attemptRetentionMs: 1, deliveryRetentionMs: 1 };
    const store = new PayloadStore(database, stub({ leaseMs: 60_000 }));
    return {
      stop,
      late,
      jobs: [() => store.sweepOrphans(stop), () => new Retention(database, newOutages(), stub(periods)).run(stop)],
    };
  }

  it.each([
    ['orphans', /DELETE FROM agent_data_source_payload_chunk c/],
    ['bodies', /AS bytes/],
    ['attempts', /DELETE FROM agent_data_source_sync_default/],
    ['deliveries', /DELETE FROM agent_data_source_delivery/],
    ['recoveries', /DELETE FROM agent_data_source_recovery/],
    ['completions', /DELETE FROM agent_data_source_job/],
  ])('ends between two batches of %s', async (_what, stopAt) => {
    const { stop, late, jobs } = endless(stopAt);
    for (const run of jobs) if (!stop.aborted) await run();
    expect(stop.aborted).toBe(true);
    expect(late).toEqual([]);
  });
});
