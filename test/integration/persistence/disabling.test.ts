import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { type DisabledSink, disableFailing } from '../../../src/data-sinks/settlement/auto-disable.sql.js';
import { redeliver } from '../../../src/data-sinks/delivery/redelivery.sql.js';
import { ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const RULE = { failures: 5, afterMs: HOUR, attemptRetentionMs: 90 * DAY };

interface End {
  readonly status: 'DELIVERED' | 'FAILED' | 'CANCELLED';
  readonly reason: string | null;
  readonly attempt: string;
  readonly http: number | null;
}

const FAILED: End = { status: 'FAILED', reason: 'retries_exhausted', attempt: 'HTTP_5XX', http: 500 };
const DELIVERED: End = { status: 'DELIVERED', reason: null, attempt: 'SUCCEEDED', http: 200 };

/** One delivery that ends now, with the attempt it ended with. @returns its id */
async function ends(sink: string, end: End = FAILED, given: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const now = new Date(await database.now());
  const { job_id: jobId = newId('payload').replace('pld', 'job') } = given;
  const id = await database.delivery(sink, {
    ...{ status: end.status, reason: end.reason, last_attempt_status: end.attempt, settled_at: now, dueInMs: null },
    ...{ job_id: jobId, ...given },
  });
  await attempt(id, sink, end);
  return id;
}

/** @param startedMs when it started, in milliseconds before now, at which it ended */
async function attempt(deliveryId: string, sink: string, { attempt: status, http }: End, startedMs = 0): Promise<void> {
  const now = await database.now();
  await database.all(
    `INSERT INTO agent_data_source_sync (id, started_at, finished_at, delivery_id, data_source_id, workspace_id, agent_id, job_id,
       attempt_number, trigger, status, http_status, url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
     VALUES ($1, $2, $3, $4, $5, 'ws_1', 'agt_1', 'job', 1, 'AUTO', $6, $7, 'https://r.example', 'Bearer', 1, '\\x00', 1, 'w')`,
    [newId('attempt'), new Date(now - startedMs), new Date(now), deliveryId, sink, status, http],
  );
}

async function judge(deliveryId: string, sink: string, gone = false, rule = RULE): Promise<DisabledSink | undefined> {
  const [disabled] = await disableFailing(
    databaseOf(database.manager),
    [{ deliveryId, dataSourceId: sink, gone }],
    rule,
  );
  return disabled;
}

/** One more delivery fails and is judged. @returns whether that disabled its sink */
async function failsAndDisables(sink: string, end: End = FAILED): Promise<boolean> {
  return (await judge(await ends(sink, end), sink)) !== undefined;
}

async function fail(sink: string, times: number, end: End = FAILED): Promise<void> {
  for (let i = 0; i < times; i++) expect(await failsAndDisables(sink, end)).toBe(false);
}

describe('a sink is disabled by five failed deliveries in a row, the first an hour ago', () => {
  it('but not by fewer, however long ago', async () => {
    const sink = await database.sink();
    await fail(sink, 3);
    await database.advance(DAY);
    await fail(sink, 1);
    expect(await failsAndDisables(sink)).toBe(true);
  });

  it('but not by any number of failures within the hour', async () => {
    const sink = await database.sink();
    await fail(sink, 12);
    await database.advance(HOUR - 1);
    await fail(sink, 1);
    await database.advance(1);
    expect(await judge(await ends(sink), sink)).toMatchObject({ reason: 'REPEATED_5XX', failedDeliveries: 5 });
  });

  it('even if more than five failed within the last hour, when the series began before', async () => {
    const sink = await database.sink();
    await fail(sink, 1);
    for (let i = 0; i < 11; i++) {
      await database.advance(5 * MINUTE);
      await fail(sink, 1);
    }
    await database.advance(5 * MINUTE);
    expect(await failsAndDisables(sink)).toBe(true);
  });

  it('but not when one in between was delivered', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    await ends(sink, DELIVERED);
    await database.advance(1);
    await fail(sink, 4);
    await database.advance(HOUR - 1);
    await fail(sink, 3);
    await database.advance(1);
    expect(await failsAndDisables(sink)).toBe(true);
  });

  it('but not when one was delivered after the last of them', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    const last = await ends(sink);
    await database.advance(1);
    await ends(sink, DELIVERED);
    expect(await judge(last, sink)).toBeUndefined();
  });

  it('but not when one recorded in the same batch was delivered', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    await ends(sink, DELIVERED);
    await fail(sink, 1);
  });

  it('but not if a good receiver fails now and then, even five times a month', async () => {
    const sink = await database.sink();
    for (let day = 0; day < 10; day++) {
      await fail(sink, 1);
      await database.advance(DAY / 2);
      await ends(sink, DELIVERED);
      await database.advance(DAY / 2);
    }
  });

  it('and a delivered one still counts after its redelivery failed', async () => {
    const sink = await database.sink();
    await fail(sink, 2);
    await database.advance(HOUR);
    const delivered = await ends(sink, DELIVERED);
    await database.advance(1);
    expect(
      await redeliver(
        databaseOf(database.manager),
        [{ workspaceId: 'ws_1', id: delivered, recoveryId: null }],
        ['DELIVERED'],
      ),
    ).toEqual([delivered]);
    await database.all(
      `UPDATE agent_data_source_delivery SET status = 'FAILED', reason = 'not_retryable', settled_at = now() WHERE id = $1`,
      [delivered],
    );
    await attempt(delivered, sink, FAILED);
    expect(await judge(delivered, sink)).toBeUndefined();
    await fail(sink, 4);
  });

  it('and a redelivery that fails again is one failure, dated by its last one', async () => {
    const sink = await database.sink();
    const first = await ends(sink);
    await database.advance(2 * HOUR);
    await fail(sink, 3);
    for (let i = 0; i < 6; i++) {
      await redeliver(databaseOf(database.manager), [{ workspaceId: 'ws_1', id: first, recoveryId: null }], ['FAILED']);
      await database.all(
        `UPDATE agent_data_source_delivery SET status = 'FAILED', reason = 'not_retryable', settled_at = now() WHERE id = $1`,
        [first],
      );
      expect(await judge(first, sink)).toBeUndefined();
    }
    await database.advance(HOUR);
    expect(await failsAndDisables(sink)).toBe(true);
  });

  it('and a long upload delivered in between counts, though others started after it', async () => {
    const sink = await database.sink();
    await ends(sink, DELIVERED);
    await fail(sink, 4);
    await database.advance(HOUR);
    const long = await database.delivery(sink, { status: 'DELIVERED', settled_at: new Date(await database.now()) });
    await attempt(long, sink, DELIVERED, 2 * HOUR);
    await database.all(
      `UPDATE agent_data_source_sync SET id = 'syn_00000000000000000000000000' WHERE delivery_id = $1`,
      [long],
    );
    await database.advance(1);
    await fail(sink, 1);
  });

  it('and failures of another sink do not count', async () => {
    const [sink, other] = [await database.sink(), await database.sink()];
    await fail(other, 4);
    await database.advance(HOUR);
    await fail(sink, 4);
    await ends(sink, DELIVERED);
    expect(await failsAndDisables(other)).toBe(true);
  });

  it('and parts of a job count as deliveries: one that is delivered ends the series', async () => {
    const sink = await database.sink();
    const part = (n: number): Record<string, unknown> => ({ job_id: 'job_parts', part: n, part_count: 6 });
    for (const n of [1, 2, 3, 4]) await judge(await ends(sink, FAILED, part(n)), sink);
    await database.advance(HOUR);
    await ends(sink, DELIVERED, part(5));
    await database.advance(1);
    await fail(sink, 1);
    expect(await database.all('SELECT status FROM agent_data_source')).toEqual([{ status: 'ACTIVE' }]);
  });
});

describe('what does not depend on the receiver neither counts nor ends the series:', () => {
  it.each([
    ['results_missing', 'FAILED'],
    ['results_invalid', 'FAILED'],
    ['too_many_parts', 'FAILED'],
    ['parts_incomplete', 'FAILED'],
    ['abandoned_too_often', 'FAILED'],
    ['plan_required', 'CANCELLED'],
    ['auto_push_off', 'CANCELLED'],
  ] as const)('a delivery that ended for %s', async (reason, status) => {
    const ours: End = { status, reason, attempt: 'ABANDONED', http: null };
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    await fail(sink, 4, ours);
    expect(await failsAndDisables(sink)).toBe(true);
  });

  it('an attempt on a reused connection that the receiver had closed, of a delivery that goes on', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    const going = await database.delivery(sink, { status: 'RETRYING', last_attempt_status: 'NETWORK_ERROR' });
    await attempt(going, sink, { ...FAILED, attempt: 'NETWORK_ERROR', http: null });
    expect(await judge(going, sink)).toBeUndefined();
    expect(await failsAndDisables(sink)).toBe(true);
  });
});

describe('a 410', () => {
  const GONE: End = { status: 'FAILED', reason: 'not_retryable', attempt: 'HTTP_4XX', http: 410 };

  it('disables at once, even right after a successful delivery', async () => {
    const sink = await database.sink();
    await ends(sink, DELIVERED);
    expect(await judge(await ends(sink, GONE), sink, true)).toMatchObject({ reason: 'RECEIVER_GONE' });
  });

  it('from before the reactivation does not disable it again', async () => {
    const sink = await database.sink();
    const gone = await ends(sink, GONE);
    await database.advance(1);
    await database.all('UPDATE agent_data_source SET reactivated_at = now()');
    expect(await judge(gone, sink, true)).toBeUndefined();
    await database.advance(1);
    expect(await judge(await ends(sink, GONE), sink, true)).toMatchObject({ reason: 'RECEIVER_GONE' });
  });
});

describe('a reactivated sink', () => {
  it('starts without failures, and is disabled by five more, the first an hour ago', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(HOUR);
    expect(await failsAndDisables(sink)).toBe(true);
    await database.advance(1);
    await database.all(
      `UPDATE agent_data_source SET status = 'ACTIVE', reactivated_at = now(), disabled_reason = NULL, disabled_at = NULL`,
    );
    await database.advance(1);
    await fail(sink, 7);
    await database.advance(HOUR);
    expect(await failsAndDisables(sink)).toBe(true);
  });
});

describe('disableAfter and disableAfterMs', () => {
  it('are taken from the options', async () => {
    const sink = await database.sink();
    const rule = { ...RULE, failures: 2, afterMs: 0 };
    expect(await judge(await ends(sink), sink, false, rule)).toBeUndefined();
    expect(await judge(await ends(sink), sink, false, rule)).toMatchObject({ failedDeliveries: 2 });
  });

  it('ignore failures older than the retained attempts', async () => {
    const sink = await database.sink();
    await fail(sink, 4);
    await database.advance(90 * DAY);
    await fail(sink, 4);
    await database.advance(HOUR);
    expect(await failsAndDisables(sink)).toBe(true);
  });
});
