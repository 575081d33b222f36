import { describe, expect, it } from '@jest/globals';
import { DataSinks } from '../../src/data-sinks/index.js';
import { Retention } from '../../src/data-sinks/upkeep/retention.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();
const thrifty = suitePlatform({ options: { erasePayloadsOnSuccess: true } });

const run = (): Promise<void> => platform().app.get(Retention, { strict: false }).run();

async function pushed(on = platform): Promise<{ agent: Agent; sink: Sink; delivery: Body }> {
  const agent = await (await on().customer()).agent({ retry_failed_push: 0 });
  const sink = await agent.sink(await on().receiver.endpoint());
  return { agent, sink, delivery: await sink.settledPush() };
}

async function bytesOf(jobId: string, on = platform): Promise<number> {
  const [row] = await on().sql<{ n: number }>(
    `SELECT count(*)::int AS n FROM agent_data_source_payload p
       JOIN agent_data_source_payload_chunk c ON c.body_id = p.body_id WHERE p.job_id = $1`,
    [jobId],
  );
  return row?.n ?? 0;
}

/** As if everything about a job had happened so much earlier. */
async function age(jobId: string, by: string): Promise<void> {
  const shift = (table: string, ...columns: string[]): Promise<unknown> =>
    platform().sql(
      `UPDATE ${table} SET ${columns.map((c) => `${c} = ${c} - $2::interval`).join(', ')} WHERE job_id = $1`,
      [jobId, by],
    );
  await shift('agent_data_source_payload', 'created_at');
  await shift('agent_data_source_delivery', 'created_at', 'settled_at');
  await shift('agent_data_source_job', 'created_at');
  // The host's own row too: a completion of a minute ago that we know nothing of would be taken for a missed one.
  await platform().sql('UPDATE host_mapping_job SET completed_at = completed_at - $2::interval WHERE id = $1', [
    jobId,
    by,
  ]);
}

async function redelivered({ agent, delivery }: Awaited<ReturnType<typeof pushed>>): Promise<Body> {
  expectStatus(await agent.api.post(`deliveries/${delivery.id}/redeliver`), 202);
  return agent.customer.settled(delivery.id);
}

describe('payload bytes', () => {
  it('are deleted seven days after the last delivery of their job settled, and not before', async () => {
    const { delivery } = await pushed();
    await age(delivery.jobId, '6 days 23 hours');
    await run();
    expect(await bytesOf(delivery.jobId)).toBe(1);
    await age(delivery.jobId, '2 hours');
    await run();
    expect(await bytesOf(delivery.jobId)).toBe(0);
  });

  it('stay while a delivery of their job waits, however old they are', async () => {
    const { delivery } = await pushed();
    await age(delivery.jobId, '30 days');
    await platform().sql(`UPDATE agent_data_source_delivery SET settled_at = NULL WHERE id = $1`, [delivery.id]);
    await run();
    expect(await bytesOf(delivery.jobId)).toBe(1);
  });

  it('are rebuilt for a redelivery, which reports that they are the same', async () => {
    const made = await pushed();
    expect(made.delivery.payload).toMatchObject({ rebuilt: false, sameAsBefore: null });
    await age(made.delivery.jobId, '8 days');
    await run();
    const again = await redelivered(made);
    expect(again).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
    expect(again.payload).toEqual({ ...made.delivery.payload, rebuilt: true, sameAsBefore: true });
  });

  it('are rebuilt for a redelivery, which reports that they differ if the host’s results have changed', async () => {
    const made = await pushed();
    await age(made.delivery.jobId, '8 days');
    await run();
    await platform().sql(
      `UPDATE host_mapping_result SET partner_row_id = 'row_changed'
        WHERE ordinal = 0 AND job_number = (SELECT number FROM host_mapping_job WHERE id = $1)`,
      [made.delivery.jobId],
    );
    const { payload } = await redelivered(made);
    expect(payload).toMatchObject({ rebuilt: true, sameAsBefore: false });
    expect(payload.sha256).not.toBe(made.delivery.payload.sha256);
  });

  it('are sent again unchanged while they are kept', async () => {
    expect((await redelivered(await pushed())).payload).toMatchObject({ rebuilt: false, sameAsBefore: null });
  });

  it('are deleted on success if the operator configured that', async () => {
    const { delivery } = await pushed(thrifty);
    expect(delivery).toMatchObject({ status: 'DELIVERED' });
    await until(async () => (await bytesOf(delivery.jobId, thrifty)) === 0, 'the bytes are gone');
  });
});

describe('attempts and deliveries', () => {
  it('are deleted after a year together with their completion; the audit trail is kept', async () => {
    const { agent, delivery } = await pushed();
    // Its id says when it was made: it is given one of two years ago.
    const old = `dlv_01${'0'.repeat(23)}${delivery.id.slice(-1)}`;
    await platform().sql('UPDATE agent_data_source_delivery SET id = $2 WHERE id = $1', [delivery.id, old]);
    await age(delivery.jobId, '364 days');
    await run();
    expectStatus(await agent.api.get(`deliveries/${old}`), 200);
    await age(delivery.jobId, '2 days');
    await run();
    expectStatus(await agent.api.get(`deliveries/${old}`), 404);
    const left = await platform().sql('SELECT FROM agent_data_source_job WHERE job_id = $1', [delivery.jobId]);
    expect(left).toEqual([]);
    await platform().audited();
    const audit = await platform().sql('SELECT FROM agent_data_source_audit WHERE delivery_id = $1', [delivery.id]);
    expect(audit).toHaveLength(1);
  });

  it('monthly partitions of attempts are dropped 90 days after their end', async () => {
    await platform().sql(
      `CREATE TABLE agent_data_source_sync_y2020m01 PARTITION OF agent_data_source_sync
         FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-02-01 00:00:00+00')`,
    );
    const { sink } = await pushed();
    await run();
    const [found] = await platform().sql<{ name: string | null }>(
      `SELECT to_regclass('agent_data_source_sync_y2020m01')::text AS name`,
    );
    expect(found?.name).toBeNull();
    expect(await sink.syncs()).toHaveLength(1);
  });
});

describe('DataSinks.erasePayloads', () => {
  it('erases the bytes of one job, with an audit entry, and of no other', async () => {
    const made = await pushed();
    const other = await made.sink.settledPush();
    const { workspaceId } = made.agent.customer;
    const { id, jobId, payload } = made.delivery;
    const erased = await platform().app.get(DataSinks).erasePayloads({ workspaceId, jobId });
    expect(erased).toEqual({ payloads: 1, bytes: payload.bytes });
    expect([await bytesOf(jobId), await bytesOf(other.jobId)]).toEqual([0, 1]);
    const audit = await platform().sql(
      `SELECT delivery_id, actor_type, details FROM agent_data_source_audit
        WHERE workspace_id = $1 AND action = 'PAYLOADS_ERASED'`,
      [workspaceId],
    );
    expect(audit).toEqual([{ delivery_id: id, actor_type: 'host', details: { jobId, bytes: payload.bytes } }]);
    expect(await redelivered(made)).toMatchObject({
      status: 'DELIVERED',
      payload: { rebuilt: true, sameAsBefore: true },
    });
  });

  it('erases those of a workspace, and of no other', async () => {
    const [mine, theirs] = [await pushed(), await pushed()];
    const second = await mine.sink.settledPush();
    const { workspaceId } = mine.agent.customer;
    expect(await platform().app.get(DataSinks).erasePayloads({ workspaceId })).toMatchObject({ payloads: 2 });
    expect([await bytesOf(mine.delivery.jobId), await bytesOf(second.jobId)]).toEqual([0, 0]);
    expect(await bytesOf(theirs.delivery.jobId)).toBe(1);
    expect(await platform().app.get(DataSinks).erasePayloads({ workspaceId })).toEqual({ payloads: 0, bytes: 0 });
  });
});
