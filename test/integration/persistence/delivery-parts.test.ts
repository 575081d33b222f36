import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { nextDueInMs } from '../../../src/data-sinks/persistence/next-due.js';
import { recordCompletions } from '../../../src/data-sinks/persistence/completion-recording.js';
import {
  endWaitingParts,
  failLastParts,
  listWaitingLastParts,
  othersOf,
  releaseLastParts,
} from '../../../src/data-sinks/persistence/delivery-parts.js';
import { DeliveryRepository } from '../../../src/data-sinks/persistence/delivery.repository.js';
import { endDeliveries, releaseDeliveries } from '../../../src/data-sinks/persistence/lease-keeping.js';
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

const KEY = { jobId: 'job_1', run: 1 };
const key = (of = 3) => ({ ...KEY, dataSourceId: sink, of });

/** Records a push in so many parts, as a completion does. @returns the ids of what was made, in the parts' order */
async function push(of: number, trigger: 'AUTO' | 'MANUAL' = 'AUTO'): Promise<string[]> {
  const completion = {
    ...{ ...KEY, agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date('2026-05-25T12:34:56Z') },
    stats: { total: of, matched: of, unmatched: 0 },
  };
  const deliveries = Array.from({ length: of }, (_, i) => ({
    ...{ id: newId('delivery'), dataSourceId: sink, ...KEY, workspaceId: 'ws_1', agentId: 'agt_1' },
    ...{ format: 'JSON' as const, retriesAllowed: 2, recipe: `JSON;rows=1;part=${i + 1}/${of}`, part: i + 1 },
    partCount: of,
  }));
  const made = new Set(await recordCompletions(database.manager, trigger, [completion], deliveries));
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
  it('has all of its parts due in their order, but for the last', async () => {
    const ids = await push(4);
    expect(ids).toHaveLength(4);
    expect(await state(ids[3])).toEqual(WAITING);
    // They are microseconds apart.
    await database.advance(1);
    expect(await claimed()).toEqual(ids.slice(0, 3));
    expect(await claimed()).toEqual([]);
    expect(await nextDueInMs(database.manager)).toBeNull();
  });

  it('of one part is due at once', async () => {
    const [only] = await push(1);
    expect(await claimed()).toEqual([only]);
  });

  it('goes to a sink once, in however many parts', async () => {
    await push(2, 'MANUAL');
    expect(await push(5, 'MANUAL')).toEqual([]);
    expect(await push(1, 'MANUAL')).toEqual([]);
    expect(await database.all('SELECT id FROM agent_data_source_delivery')).toHaveLength(2);
  });

  it('goes to no sink that has it in one piece', async () => {
    await database.delivery(sink, { job_id: KEY.jobId });
    expect(await push(3, 'MANUAL')).toEqual([]);
    expect(await database.all('SELECT id FROM agent_data_source_delivery')).toHaveLength(1);
  });
});

describe('the last part', () => {
  it('is due once all others are delivered, and not before', async () => {
    const [first, second, last] = await push(3);
    await ends(first, 'DELIVERED');
    expect(await releaseLastParts(database.manager, [key()])).toBe(0);
    expect(await state(last)).toEqual(WAITING);
    await ends(second, 'DELIVERED');
    expect(await releaseLastParts(database.manager, [key(), key()])).toBe(1);
    expect(await state(last)).toEqual({ ...WAITING, isDue: true });
    expect(await releaseLastParts(database.manager, [key()])).toBe(0);
    expect(await claimed()).toEqual([last]);
  });

  it.each(['FAILED', 'CANCELLED'] as const)('fails once another one is %s', async (status) => {
    const [first, second, last] = await push(3);
    expect(await failLastParts(database.manager, [first ?? '', second ?? ''])).toEqual([]);
    await ends(first, status);
    expect(await failLastParts(database.manager, [first ?? ''])).toMatchObject([
      { deliveryId: last, dataSourceId: sink, jobId: 'job_1', run: 1, part: { number: 3, of: 3 }, attempts: 0 },
    ]);
    expect(await state(last)).toEqual(INCOMPLETE);
    expect((await state(second)).status).toBe('PENDING');
  });

  it('that failed for want of others is due once they are delivered after all', async () => {
    const [first, second, last] = await push(3);
    await ends(first, 'FAILED');
    await failLastParts(database.manager, [first ?? '']);
    await ends(first, 'DELIVERED');
    expect(await releaseLastParts(database.manager, [key()])).toBe(0);
    await ends(second, 'DELIVERED');
    expect(await releaseLastParts(database.manager, [key()])).toBe(1);
    expect(await state(last)).toEqual({ ...WAITING, trigger: 'REDELIVERY', isDue: true });
  });

  it('that failed by itself is not sent again because of the others', async () => {
    const [first, second, last] = await push(3);
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    await ends(last, 'FAILED');
    await releaseLastParts(database.manager, [key()]);
    expect((await state(last)).status).toBe('FAILED');
  });

  it('waits again when another one is redelivered', async () => {
    const [first, , last] = await push(3);
    await ends(first, 'FAILED');
    await failLastParts(database.manager, [first ?? '']);
    expect(await new DeliveryRepository(database.manager).redeliver('ws_1', first ?? '')).toBe(true);
    expect(await state(first)).toMatchObject({ status: 'RETRYING', isDue: true });
    expect(await state(last)).toEqual({ ...WAITING, trigger: 'REDELIVERY' });
  });

  it('of another job, sink or run is not concerned', async () => {
    const [first, second, last] = await push(3);
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    for (const other of [{ jobId: 'job_2' }, { run: 2 }, { dataSourceId: 'ads_2' }]) {
      expect(await releaseLastParts(database.manager, [{ ...key(), ...other }])).toBe(0);
    }
    expect(await state(last)).toEqual(WAITING);
  });

  it('that was made due too early is told how the others are, and can be put back to wait', async () => {
    const [first, second, last] = await push(3);
    await claimed();
    await database.all('UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1', [last]);
    const [{ leaseToken } = { leaseToken: '' }] = await database.claim();
    expect(await othersOf(database.manager, last ?? '')).toBe('under_way');
    await releaseDeliveries(database.manager, [{ id: last ?? '', leaseToken, waitMs: null, ownFailure: false }]);
    expect(await state(last)).toEqual(WAITING);
    await ends(first, 'CANCELLED');
    expect(await othersOf(database.manager, last ?? '')).toBe('undelivered');
    for (const id of [first, second]) await ends(id, 'DELIVERED');
    expect(await othersOf(database.manager, last ?? '')).toBe('delivered');
  });
});

describe('last parts that a crash left waiting', () => {
  it('are listed with what makes them due or fail', async () => {
    const [first, second, last] = await push(3);
    const listed = () => listWaitingLastParts(database.manager, '', 10);
    expect(await listed()).toEqual([{ ...key(), id: last, missingId: second, undeliveredId: null }]);
    await ends(second, 'DELIVERED');
    expect(await listed()).toMatchObject([{ missingId: first, undeliveredId: null }]);
    await ends(first, 'FAILED');
    expect(await listed()).toMatchObject([{ missingId: first, undeliveredId: first }]);
    await ends(first, 'DELIVERED');
    expect(await listed()).toMatchObject([{ missingId: null, undeliveredId: null }]);
    await releaseLastParts(database.manager, await listed());
    expect(await listed()).toEqual([]);
  });

  it('are listed page by page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const given = { job_id: `job_${i}`, recipe: 'JSON;rows=1;part=2/2', part: 2, part_count: 2, dueInMs: null };
      ids.push(await database.delivery(sink, given));
    }
    const first = await listWaitingLastParts(database.manager, '', 3);
    const second = await listWaitingLastParts(database.manager, first.at(-1)?.id ?? '', 3);
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
  });

  it('are none where jobs are pushed in one piece, due or not', async () => {
    await database.delivery(sink);
    await database.delivery(sink, { dueInMs: null });
    expect(await listWaitingLastParts(database.manager, '', 10)).toEqual([]);
  });
});

describe('a job of which no part can be made', () => {
  it('ends all of its parts that wait; the last one for want of the others', async () => {
    const [first, second, last] = await push(3);
    const [{ id, leaseToken } = { id: '', leaseToken: '' }] = await database.claim({ batch: 1 });
    expect(id).toBe(first);
    await endDeliveries(database.manager, [{ id, leaseToken, status: 'FAILED', reason: 'results_invalid' }]);
    const ended = await endWaitingParts(database.manager, [key()], 'results_invalid');
    expect(ended.map(({ deliveryId }) => deliveryId).sort()).toEqual([second, last].sort());
    expect(await state(second)).toMatchObject({ status: 'FAILED', reason: 'results_invalid', isSettled: true });
    expect(await state(last)).toEqual(INCOMPLETE);
  });

  const haveBodies = async (...parts: readonly number[]) => {
    for (const part of parts) {
      await database.all(
        `INSERT INTO agent_data_source_payload (job_id, run, format, body_id, ready) VALUES ($1, 1, $2, $3, true)`,
        [KEY.jobId, `JSON;rows=1;part=${part}/3`, `pld_1.${part}`],
      );
    }
  };

  it('leaves those that have their bodies to go their way', async () => {
    const [first, second, last] = await push(3);
    await haveBodies(2);
    await ends(first, 'FAILED');
    const ended = await endWaitingParts(database.manager, [key()], 'results_missing');
    expect(ended.map(({ deliveryId }) => deliveryId)).toEqual([last]);
    expect([await state(second), await state(last)]).toEqual([{ ...WAITING, isDue: true }, INCOMPLETE]);
  });

  it('has a last part with a body fail because another one has, and only then', async () => {
    const [first, second, last] = await push(3);
    await haveBodies(2, 3);
    await ends(first, 'FAILED');
    expect(await endWaitingParts(database.manager, [key()], 'results_missing')).toEqual([]);
    expect([await state(second), await state(last)]).toEqual([{ ...WAITING, isDue: true }, WAITING]);
    expect(await failLastParts(database.manager, [first ?? ''])).toMatchObject([{ deliveryId: last }]);
    expect((await state(second)).status).toBe('PENDING');
  });
});
