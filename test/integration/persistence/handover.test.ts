import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import {
  type NewDelivery,
  recordAndLease,
  recordCompletions,
} from '../../../src/data-sinks/intake/delivery-recorder.sql.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const LIMITS = { leaseMs: 60_000, inFlightPerSink: 2, inFlightPerWorkspace: 3 };
let jobs = 0;

/** Records a job for some sinks, each of which may be leased. */
async function record(sinks: readonly string[]) {
  const [workspaceId, agentId] = ['ws_1', 'agt_1'];
  const completion = {
    ...{ jobId: `job_${++jobs}`, run: 1, workspaceId, agentId, completedAt: new Date() },
    stats: { total: 1, matched: 1, unmatched: 0 },
  };
  const deliveries = sinks.map((dataSourceId): NewDelivery => ({
    ...{ id: newId('delivery'), dataSourceId, jobId: completion.jobId, run: 1, workspaceId, agentId },
    ...{ format: 'JSON', retriesAllowed: 2, recipe: 'JSON', part: 1, partCount: 1 },
  }));
  const tokens = new Map(deliveries.map(({ id }) => [id, randomUUID() as string]));
  const made = await recordAndLease(databaseOf(database.manager), [completion], deliveries, { ...LIMITS, tokens });
  return { completion, deliveries, tokens, made, leased: made.map(({ leased }) => leased) };
}

describe('a delivery that is leased as it is recorded', () => {
  it('is in flight under its token, and no claim takes it', async () => {
    const sink = await database.sink();
    const { made, tokens } = await record([sink]);
    const [row] = await database.all<{ status: string; lease_token: string; next: unknown; left_ms: number }>(
      `SELECT status, lease_token, next_attempt_at AS next,
              (extract(epoch FROM lease_expires_at - now()) * 1000)::int AS left_ms FROM agent_data_source_delivery`,
    );
    expect(row).toMatchObject({ status: 'IN_FLIGHT', lease_token: tokens.get(made[0]?.id ?? ''), next: null });
    expect(row?.left_ms).toBeGreaterThan(50_000);
    expect(await database.claim()).toEqual([]);
  });

  it('leaves the caps of its sink and of its workspace as they are', async () => {
    const [first, second] = [await database.sink(), await database.sink()];
    expect((await record([first])).leased).toEqual([true]);
    expect((await record([first])).leased).toEqual([true]);
    // The sink is full; then the workspace is.
    expect((await record([first])).leased).toEqual([false]);
    expect((await record([second])).leased).toEqual([true]);
    expect((await record([second])).leased).toEqual([false]);
  });

  it('does not overtake what waits for its sink', async () => {
    const sink = await database.sink();
    await database.delivery(sink);
    expect((await record([sink])).leased).toEqual([false]);
  });

  it('is not made of a job that was pushed by hand before: what its body says is on record', async () => {
    const [pushed, other] = [await database.sink(), await database.sink()];
    const { completion, deliveries } = await record([pushed]);
    const again = { ...completion, jobId: 'job_by_hand' };
    await recordCompletions(databaseOf(database.manager), 'MANUAL', [again], []);
    const delivery = {
      ...(deliveries[0] as NewDelivery),
      id: newId('delivery'),
      jobId: 'job_by_hand',
      dataSourceId: other,
    };
    const tokens = new Map([[delivery.id, randomUUID() as string]]);
    const made = await recordAndLease(databaseOf(database.manager), [again], [delivery], { ...LIMITS, tokens });
    expect(made.map(({ leased }) => leased)).toEqual([false]);
  });

  it.each<[string, string]>([
    ['is switched off', `status = 'INACTIVE'`],
    ['is changed', 'config_version = config_version + 1'],
    ['is deleted', 'deleted_at = now()'],
  ])('opens no attempt when its sink %s before', async (_what, change) => {
    const sink = await database.sink();
    const { made, tokens } = await record([sink]);
    await database.all(`UPDATE agent_data_source SET ${change}`);
    const id = made[0]?.id ?? '';
    expect(await open([{ id, leaseToken: tokens.get(id) ?? '' }])).toEqual([]);
  });
});

describe('a body that is stored with its attempt', () => {
  const body = (jobId: string, bodyId: string, workspaceId: string) => ({
    key: { workspaceId, jobId, run: 1, recipe: 'JSON' },
    payload: { bodyId, sha256: 'ab'.repeat(32), bytes: 8, rows: 1 },
    chunk: Buffer.from(bodyId),
  });

  it('is there with it, once for all who send it', async () => {
    const [one, two] = [await database.sink(), await database.sink()];
    const { completion, made, tokens } = await record([one, two]);
    const unstored = body(completion.jobId, 'pld_first', completion.workspaceId);
    const opened = await open(
      made.map(({ id }) => ({ id, leaseToken: tokens.get(id) ?? '' })),
      unstored,
    );
    expect(opened).toHaveLength(2);
    const stored = await database.all(
      'SELECT p.body_id, p.ready, c.bytes FROM agent_data_source_payload p JOIN agent_data_source_payload_chunk c USING (body_id)',
    );
    expect(stored).toEqual([{ body_id: 'pld_first', ready: true, bytes: Buffer.from('pld_first') }]);
  });

  it('opens nothing when another process has stored the same body, in bytes of its own', async () => {
    const [one, two] = [await database.sink(), await database.sink()];
    const { completion, made, tokens } = await record([one, two]);
    const [first, second] = made.map(({ id }) => ({ id, leaseToken: tokens.get(id) ?? '' }));
    const { jobId, workspaceId } = completion;
    expect(await open([first as Held], body(jobId, 'pld_first', workspaceId))).toHaveLength(1);
    expect(await open([second as Held], body(jobId, 'pld_second', workspaceId))).toEqual([]);
    // The same one again, as after an answer that was lost.
    expect(await open([second as Held], body(jobId, 'pld_first', workspaceId))).toHaveLength(1);
    expect(await database.all('SELECT body_id FROM agent_data_source_payload_chunk')).toEqual([
      { body_id: 'pld_first' },
    ]);
  });
});

type Held = Pick<ClaimedDelivery, 'id' | 'leaseToken'>;

function open(held: readonly Held[], unstored: Parameters<typeof openAttempts>[2][number]['unstored'] = null) {
  const payload = unstored?.payload ?? { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 8, rows: 1 };
  return openAttempts(
    databaseOf(database.manager),
    'worker-1',
    held.map(({ id, leaseToken }) => ({
      ...{
        attemptId: newId('attempt'),
        deliveryId: id,
        leaseToken,
        url: CONFIG.url,
        authScheme: 'HmacSha256' as const,
      },
      ...{ configVersion: 1, payload, unstored, handedOver: true },
    })),
  );
}
