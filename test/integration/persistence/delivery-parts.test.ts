import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { nextDueInMs } from '../../../src/data-sinks/queue/next-due.sql.js';
import { recordCompletions } from '../../../src/data-sinks/intake/delivery-recorder.sql.js';
import {
  endWaitingParts,
  failLastParts,
  listWaitingLastParts,
  othersOf,
  releaseLastParts,
} from '../../../src/data-sinks/settlement/delivery-parts.sql.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { endDeliveries, releaseDeliveries } from '../../../src/data-sinks/queue/lease.sql.js';
import { ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;
let sink: string;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(async () => {
  await database.clear();
  sink = await database.sink();
});
afterAll(() => database.dataSource.destroy());

const KEY = { workspaceId: 'ws_1', jobId: 'job_1', run: 1 };
const key = (of = 3) => ({ ...KEY, dataSourceId: sink, of });

/** Records a push in so many parts, as a completion does. @returns the ids of what was made, in the parts' order */
async function push(of: number, trigger: 'AUTO' | 'MANUAL' = 'AUTO'): Promise<string[]> {
  const completion = {
    ...{ ...KEY, agentId: 'agt_1', completedAt: new Date('2026-05-25T12:34:56Z') },
    stats: { total: of, matched: of, unmatched: 0 },
  };
  const deliveries = Array.from({ length: of }, (_, i) => ({
    ...{ id: newId('delivery'), dataSourceId: sink, ...KEY, agentId: 'agt_1' },
    ...{ format: 'JSON' as const, retriesAllowed: 2, recipe: `JSON;rows=1;part=${i + 1}/${of}`, part: i + 1 },
    partCount: of,
  }));
  const made = new Set(await recordCompletions(databaseOf(database.manager), trigger, [completion], deliveries));
  return deliveries.map(({ id }) => id).filter((id) => made.has(id));
}

async function ends(id: string | undefined, status: 'DELIVERED' | 'FAILED' | 'CANCELLED'): Promise<void> {
  await database.all(
    `UPDATE agent_data_source_delivery SET status = $2, settled_at = now(), next_attempt_at = NULL WHERE id = $1`,
    [id, status],
  );
}

const state = async (id: string | undefined) => {
  const {
    status,
    reason,
    trigger,
    next_attempt_at: due,
    settled_at: settled,
  } = await database.one('delivery', id ?? '');
  return { status, reason, trigger, isDue: due !== null, isSettled: settled !== null };
};
const WAITING = { status: 'PENDING', reason: null, trigger: 'AUTO', isDue: false, isSettled: false };
const INCOMPLETE = { status: 'FAILED', reason: 'parts_incomplete', trigger: 'AUTO', isDue: false, isSettled: true };
const claimed = async () => (await database.claim()).map(({ id }) => id);

describe('a job that is pushed in parts', () => {
  it('has all of its parts due in order, except the last', async () => {
    const ids = await push(4);
    expect(ids).toHaveLength(4);
    expect(await state(ids[3])).toEqual(WAITING);
    // They are microseconds apart.
    await database.advance(1);
    expect(await claimed()).toEqual(ids.slice(0, 3));
    expect(await claimed()).toEqual([]);
    expect(await nextDueInMs(databaseOf(database.manager))).toBeNull();
  });

  it('of one part is due at once', async () => {
    const [only] = await push(1);
    expect(await claimed()).toEqual([only]);
  });

  it('is pushed to a sink once, in any number of parts', async () => {
    await push(2, 'MANUAL');
    expect(await push(5, 'MANUAL')).toEqual([]);
    expect(await push(1, 'MANUAL')).toEqual([]);
    expect(await database.all('SELECT id FROM agent_data_source_delivery')).toHaveLength(2);
  });

  it('is not pushed in parts to a sink that has it as one body', async () => {
    await database.delivery(sink, { job_id: KEY.jobId });
    expect(await push(3, 'MANUAL')).toEqual([]);
    expect(await database.all('SELECT id FROM agent_data_source_delivery')).toHaveLength(1);
  });
});

describe('the last part', () => {
  it('is due when all others are delivered, and not before', async () => {
    const [first, second, last] = await push(3);
    await ends(first, 'DELIVERED');
    expect(await releaseLastParts(databaseOf(database.manager), [key()])).toBe(0);
    expect(await state(last)).toEqual(WAITING);
    await ends(second, 'DELIVERED');
    expect(await releaseLastParts(databaseOf(database.manager), [key(), key()])).toBe(1);
    expect(await state(last)).toEqual({ ...WAITING, isDue: true });
    expect(await releaseLastParts(databaseOf(database.manager), [key()])).toBe(0);
    expect(await claimed()).toEqual([last]);
  });

  it.each(['FAILED', 'CANCELLED'] as const)('fails once another one is %s', async (status) => {
    const [first, second, last] = await push(3);
    expect(await failLastParts(databaseOf(database.manager), [first ?? '', second ?? ''])).toEqual([]);
    await ends(first, status);
    expect(await failLastParts(databaseOf(database.manager), [first ?? ''])).toMatchObject([
      {
        ...{ deliveryId: last, dataSourceId: sink, sinkType: 'HTTPS_WEBHOOK' },
        ...{ jobId: 'job_1', run: 1, part: { number: 3, of: 3 }, attempts: 0 },
      },
    ]);
    expect(await state(last)).toEqual(INCOMPLETE);
    expect((await state(second)).status).toBe('PENDING');
  });

  it('that failed because of others is due when they are delivered after all', async () => {
    const [first, second, last] = await push(3);
    await ends(first, 'FAILED');
    await failLastParts(databaseOf(database.manager), [first ?? '']);
    await ends(first, 'DELIVERED');
    expect(await releaseLastParts(databaseOf(database.manager), [key()])).toBe(0);
    await ends(second, 'DELIVERED');
    expect(await releaseLastParts(databaseOf(database.manager), [key()])).toBe(1);
    expect(await state(last)).toEqual({ ...WAITING, trigger: 'REDELIVERY', isDue: true });
  });

  it('that failed by itself is not sent again because of the others', async () => {
    const [first, second, last] = await push(3);
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    await ends(last, 'FAILED');
    await releaseLastParts(databaseOf(database.manager), [key()]);
    expect((await state(last)).status).toBe('FAILED');
  });

  it('waits again when another one is redelivered', async () => {
    const [first, , last] = await push(3);
    await ends(first, 'FAILED');
    await failLastParts(databaseOf(database.manager), [first ?? '']);
    expect(await new DeliveryRepository(databaseOf(database.manager)).redeliver('ws_1', first ?? '')).toBe(true);
    expect(await state(first)).toMatchObject({ status: 'RETRYING', isDue: true });
    expect(await state(last)).toEqual({ ...WAITING, trigger: 'REDELIVERY' });
  });

  it('is independent of other workspaces, jobs, sinks and runs', async () => {
    const [first, second, last] = await push(3);
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    for (const other of [{ workspaceId: 'ws_2' }, { jobId: 'job_2' }, { run: 2 }, { dataSourceId: 'ads_2' }]) {
      expect(await releaseLastParts(databaseOf(database.manager), [{ ...key(), ...other }])).toBe(0);
    }
    expect(await state(last)).toEqual(WAITING);
  });

  it('made due too early gets the states of the others, and can wait again', async () => {
    const [first, second, last] = await push(3);
    await claimed();
    await database.all('UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1', [last]);
    const [{ leaseToken } = { leaseToken: '' }] = await database.claim();
    expect(await othersOf(databaseOf(database.manager), { workspaceId: 'ws_1', id: last ?? '' })).toBe('under_way');
    await releaseDeliveries(databaseOf(database.manager), [
      { id: last ?? '', leaseToken, waitMs: null, ownFailure: false },
    ]);
    expect(await state(last)).toEqual(WAITING);
    await ends(first, 'CANCELLED');
    expect(await othersOf(databaseOf(database.manager), { workspaceId: 'ws_1', id: last ?? '' })).toBe('undelivered');
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    expect(await othersOf(databaseOf(database.manager), { workspaceId: 'ws_1', id: last ?? '' })).toBe('delivered');
  });
});

describe('last parts left waiting by a crash', () => {
  it('are listed with whether they become due or fail', async () => {
    const [first, second, last] = await push(3);
    const listed = () => listWaitingLastParts(databaseOf(database.manager), '', 10);
    expect(await listed()).toEqual([{ ...key(), id: last, missingId: second, undeliveredId: null }]);
    await ends(second, 'DELIVERED');
    expect(await listed()).toMatchObject([{ missingId: first, undeliveredId: null }]);
    await ends(first, 'FAILED');
    expect(await listed()).toMatchObject([{ missingId: first, undeliveredId: first }]);
    await ends(first, 'DELIVERED');
    expect(await listed()).toMatchObject([{ missingId: null, undeliveredId: null }]);
    await releaseLastParts(databaseOf(database.manager), await listed());
    expect(await listed()).toEqual([]);
  });

  it('are listed page by page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const given = { job_id: `job_${i}`, recipe: 'JSON;rows=1;part=2/2', part: 2, part_count: 2, dueInMs: null };
      ids.push(await database.delivery(sink, given));
    }
    const first = await listWaitingLastParts(databaseOf(database.manager), '', 3);
    const second = await listWaitingLastParts(databaseOf(database.manager), first.at(-1)?.id ?? '', 3);
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
  });

  it('do not exist for jobs that are pushed as one body', async () => {
    await database.delivery(sink);
    await database.delivery(sink, { dueInMs: null });
    expect(await listWaitingLastParts(databaseOf(database.manager), '', 10)).toEqual([]);
  });
});

describe('a job whose parts cannot be built', () => {
  it('fails all its waiting parts; the last one because of the others', async () => {
    const [first, second, last] = await push(3);
    const [{ id, leaseToken } = { id: '', leaseToken: '' }] = await database.claim({ batch: 1 });
    expect(id).toBe(first);
    await endDeliveries(databaseOf(database.manager), [
      { id, leaseToken, status: 'FAILED', reason: 'results_invalid' },
    ]);
    const ended = await endWaitingParts(databaseOf(database.manager), [key()], 'results_invalid');
    expect(ended.map(({ deliveryId }) => deliveryId).sort()).toEqual([second, last].sort());
    expect(await state(second)).toMatchObject({ status: 'FAILED', reason: 'results_invalid', isSettled: true });
    expect(await state(last)).toEqual(INCOMPLETE);
  });

  const haveBodies = async (...parts: readonly number[]) => {
    for (const part of parts) {
      await database.all(
        `INSERT INTO agent_data_source_payload (workspace_id, job_id, run, format, body_id, ready)
         VALUES ('ws_1', $1, 1, $2, $3, true)`,
        [KEY.jobId, `JSON;rows=1;part=${part}/3`, `pld_1.${part}`],
      );
    }
  };

  it('leaves parts that have their bodies alone', async () => {
    const [first, second, last] = await push(3);
    await haveBodies(2);
    await ends(first, 'FAILED');
    const ended = await endWaitingParts(databaseOf(database.manager), [key()], 'results_missing');
    expect(ended.map(({ deliveryId }) => deliveryId)).toEqual([last]);
    expect([await state(second), await state(last)]).toEqual([{ ...WAITING, isDue: true }, INCOMPLETE]);
  });

  it('has a last part with a body fail because another one has, and only then', async () => {
    const [first, second, last] = await push(3);
    await haveBodies(2, 3);
    await ends(first, 'FAILED');
    expect(await endWaitingParts(databaseOf(database.manager), [key()], 'results_missing')).toEqual([]);
    expect([await state(second), await state(last)]).toEqual([{ ...WAITING, isDue: true }, WAITING]);
    expect(await failLastParts(databaseOf(database.manager), [first ?? ''])).toMatchObject([{ deliveryId: last }]);
    expect((await state(second)).status).toBe('PENDING');
  });
});
