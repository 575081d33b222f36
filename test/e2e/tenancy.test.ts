import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { DataSinks, type JobCompleted } from '../../src/data-sinks/index.js';
import { Upkeep } from '../../src/data-sinks/upkeep/upkeep.js';
import { Retention } from '../../src/data-sinks/upkeep/retention.js';
import { ApiTokens } from '../../src/reference-host/workspaces/api-tokens.js';
import type { ApiClient, Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceivedRequest, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** Two workspaces whose jobs have the same ids, everywhere. */
const platform = suitePlatform({ options: { disableAfter: 1_000, pauseAfter: 1_000 } });

/** As long as an id may be, with characters that URLs, headers and paths have a use for. */
const LONGEST = `eu/2026:05 run#1?${'x'.repeat(238)}`;

let jobs = 0;
const newJobId = (): string => `job/${(jobs += 1)}:shared`;

interface Side {
  readonly agent: Agent;
  readonly sink: Sink;
  readonly endpoint: Endpoint;
  /** The ids of its job's rows. */
  readonly rows: readonly string[];
}

interface Setting {
  readonly rules?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly format?: string;
  readonly steps?: readonly ReceiverStep[];
}

/** A workspace with one sink. Its job has so many rows, which no other workspace's has. */
async function side(name: string, rows: number, { rules, config, format, steps }: Setting = {}): Promise<Side> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 5, ...rules });
  const endpoint = await platform().receiver.endpoint(steps);
  const settings = { url: endpoint.url, authScheme: 'HmacSha256', ...config };
  const sink = await agent.sink(endpoint, { config: settings, ...(format && { format }) });
  return { agent, sink, endpoint, rows: Array.from({ length: rows }, (_, i) => `row_of_${name}_${i}`) };
}

async function twoSides(setting: Setting = {}): Promise<readonly [Side, Side]> {
  return [await side('a', 3, setting), await side('b', 5, setting)];
}

const finish = ({ agent, rows }: Side, jobId: string): Promise<string> =>
  agent.finishJob(
    rows.map((partnerRowId) => ({ partnerRowId })),
    jobId,
  );

async function pushByHand({ agent, sink }: Side, jobId: string): Promise<Body> {
  const { id } = expectStatus(await agent.api.post(`${sink.path}/pushes`, { jobId }), 202);
  return agent.customer.settled(id);
}

async function settled({ agent, sink }: Side, jobId: string): Promise<Body> {
  return agent.customer.settled((await sink.deliveryOf(jobId)).id);
}

const rowsIn = ({ body }: ReceivedRequest): string[] =>
  (JSON.parse(body ?? '') as Body).results.map(({ partnerRowId }: Body) => partnerRowId as string);

/** So many requests came to this workspace's endpoint, or more where one was retried; each with its own job's rows. */
function expectOwn({ agent, endpoint, rows }: Side, jobId: string, requests: number): void {
  expect(endpoint.requests.length).toBeGreaterThanOrEqual(requests);
  for (const request of endpoint.requests) {
    expect(JSON.parse(request.body ?? '')).toMatchObject({
      ...{ jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId },
      stats: { total: rows.length, matched: 0, unmatched: rows.length },
    });
    expect(rowsIn(request)).toEqual(rows);
  }
}

const bodiesOf = async ({ agent }: Side, jobId: string): Promise<number> =>
  (
    await platform().sql(
      `SELECT FROM agent_data_source_payload p JOIN agent_data_source_payload_chunk c ON c.body_id = p.body_id
        WHERE p.workspace_id = $1 AND p.job_id = $2`,
      [agent.customer.workspaceId, jobId],
    )
  ).length;

describe('of two workspaces with the same job id', () => {
  it('each is pushed its own job automatically, with its own rows and facts', async () => {
    const [a, b] = await twoSides();
    const jobId = newJobId();
    await Promise.all([finish(a, jobId), finish(b, jobId)]);
    for (const one of [a, b]) {
      expect(await settled(one, jobId)).toMatchObject({ status: 'DELIVERED', trigger: 'AUTO', jobId });
      expectOwn(one, jobId, 1);
    }
  });

  it('each pushes its own job manually', async () => {
    const [a, b] = await twoSides({ rules: { auto_push_on_job_complete: false } });
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    for (const one of [a, b]) {
      expect(await pushByHand(one, jobId)).toMatchObject({ status: 'DELIVERED', trigger: 'MANUAL' });
      expectOwn(one, jobId, 1);
    }
  });

  it('one cannot push a job that only the other has', async () => {
    const [a, b] = await twoSides({ rules: { auto_push_on_job_complete: false } });
    const jobId = newJobId();
    await finish(a, jobId);
    const refused = expectStatus(await b.agent.api.post(`${b.sink.path}/pushes`, { jobId }), 422);
    expect(refused.errors).toEqual([{ pointer: '/jobId', detail: 'is not a finished job of this agent' }]);
  });

  it('each gets the parts of its own job, and the last part waits for its own', async () => {
    const [a, b] = await twoSides({ config: { maxRowsPerPush: 2 } });
    const jobId = newJobId();
    await a.endpoint.doesWithPart('1/2', [{ kind: 'answer', status: 400 }]);
    await Promise.all([finish(a, jobId), finish(b, jobId)]);
    const statusesOf = async ({ sink }: Side) =>
      (await sink.deliveries(`?jobId=${encodeURIComponent(jobId)}`)).map(({ status }) => status as string).sort();
    await until(async () => (await statusesOf(b)).every((status) => status === 'DELIVERED'), 'the parts of b arrive');
    await until(async () => (await statusesOf(a)).every((status) => status === 'FAILED'), 'the parts of a fail');
    expect([...b.endpoint.partsReceived()].sort()).toEqual(['1/3', '2/3', '3/3']);
    expect(b.endpoint.requests.flatMap(rowsIn).sort()).toEqual(b.rows);
    expect(a.endpoint.partsReceived()).toEqual(['1/2']);
    expect(a.endpoint.requests.flatMap(rowsIn)).toEqual(a.rows.slice(0, 2));
  });

  it('each redelivers its own bytes, even if they must be rebuilt', async () => {
    const [a, b] = await twoSides();
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    const deliveries = await Promise.all([a, b].map((one) => settled(one, jobId)));
    await platform().sql('DELETE FROM agent_data_source_payload WHERE workspace_id = $1', [
      b.agent.customer.workspaceId,
    ]);
    for (const [i, one] of [a, b].entries()) {
      const { id, payload } = deliveries[i] ?? {};
      const again = await redelivered(one, id);
      expect(again).toMatchObject({ status: 'DELIVERED', payload: { sha256: payload.sha256, rebuilt: i === 1 } });
      expectOwn(one, jobId, 2);
    }
    // Another workspace's delivery is one that does not exist.
    for (const path of ['', '/payload']) await expectNone(a, `deliveries/${deliveries[1]?.id}${path}`);
  });

  it('a recovery of one redelivers its own deliveries only', async () => {
    const [a, b] = await twoSides({ steps: [{ kind: 'answer', status: 400 }] });
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    const failed = await Promise.all([a, b].map((one) => settled(one, jobId)));
    expect(failed).toMatchObject([{ status: 'FAILED' }, { status: 'FAILED' }]);
    for (const { endpoint } of [a, b]) await endpoint.does([{ kind: 'answer' }]);
    const since = new Date(Date.parse(failed[1]?.createdAt) - 1_000).toISOString();
    expectStatus(await b.agent.api.post(`${b.sink.path}/recover`, { since }), 202);
    await b.agent.customer.deliveryWhen(failed[1]?.id, ({ status }) => status === 'DELIVERED', 'it is recovered');
    expectOwn(b, jobId, 2);
    expect(await settled(a, jobId)).toEqual(failed[0]);
    expectOwn(a, jobId, 1);
  });

  it('an erasure for one erases its own bytes only', async () => {
    const [a, b] = await twoSides();
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    const [mine, theirs] = await Promise.all([a, b].map((one) => settled(one, jobId)));
    const { workspaceId } = a.agent.customer;
    const erased = await platform().app.get(DataSinks).erasePayloads({ workspaceId, jobId });
    expect(erased).toEqual({ payloads: 1, bytes: mine?.payload.bytes });
    expect([await bodiesOf(a, jobId), await bodiesOf(b, jobId)]).toEqual([0, 1]);
    const audit = await platform().sql(
      `SELECT workspace_id, delivery_id FROM agent_data_source_audit
        WHERE action = 'PAYLOADS_ERASED' AND delivery_id = ANY ($1)`,
      [[mine?.id, theirs?.id]],
    );
    expect(audit).toEqual([{ workspace_id: workspaceId, delivery_id: mine?.id }]);
    expectStatus(await a.agent.api.get(`deliveries/${mine?.id}/payload`), 410);
    const kept = expectStatus(await b.agent.api.get(`deliveries/${theirs?.id}/payload`), 200);
    expect(kept.results.map(({ partnerRowId }: Body) => partnerRowId)).toEqual(b.rows);
  });

  it('retention deletes expired data of one, and nothing of the other’s', async () => {
    const [a, b] = await twoSides();
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    for (const [i, one] of [a, b].entries()) {
      // Its id says when it was made: each is given one of two years ago.
      const { id } = await settled(one, jobId);
      await platform().sql('UPDATE agent_data_source_delivery SET id = $2 WHERE id = $1', [
        id,
        `dlv_01${'0'.repeat(23)}${i}`,
      ]);
    }
    await age(a, jobId, '8 days');
    await platform().app.get(Retention, { strict: false }).run();
    expect([await bodiesOf(a, jobId), await bodiesOf(b, jobId)]).toEqual([0, 1]);
    await age(a, jobId, '366 days');
    await platform().app.get(Retention, { strict: false }).run();
    const left = await platform().sql(
      `SELECT j.workspace_id, count(d.id)::int AS deliveries FROM agent_data_source_job j
         LEFT JOIN agent_data_source_delivery d USING (workspace_id, job_id, run) WHERE j.job_id = $1 GROUP BY 1`,
      [jobId],
    );
    expect(left).toEqual([{ workspace_id: b.agent.customer.workspaceId, deliveries: 1 }]);
  });

  it('a missed completion of one is found, though the other’s was recorded', async () => {
    const [a, b] = await twoSides();
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    const [heard, missed] = await Promise.all([a, b].map((one) => settled(one, jobId)));
    const { workspaceId } = b.agent.customer;
    for (const table of ['delivery', 'payload', 'job']) {
      await platform().sql(`DELETE FROM agent_data_source_${table} WHERE workspace_id = $1`, [workspaceId]);
    }
    await platform().app.get(Upkeep, { strict: false }).sweep();
    const found = await until(async () => (await b.sink.deliveries())[0], 'the completion is found');
    expect(found.id).not.toBe(missed?.id);
    expect(await b.agent.customer.settled(found.id)).toMatchObject({ status: 'DELIVERED', jobId });
    expectOwn(b, jobId, 2);
    expect((await a.sink.deliveries()).map(({ id }) => id)).toEqual([heard?.id]);
  });

  it('a delivery of one cannot refer to a completion of the other', async () => {
    const [a, b] = await twoSides();
    const jobId = await finish(a, newJobId());
    await settled(a, jobId);
    const inserted = platform().sql(
      `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format,
         retries_allowed, trigger, status, settled_at)
       VALUES ('dlv_foreign', $1, $2, $3, $4, 1, 'JSON', 0, 'MANUAL', 'FAILED', now())`,
      [b.agent.customer.workspaceId, b.agent.id, b.sink.id, jobId],
    );
    await expect(inserted).rejects.toMatchObject({
      driverError: { constraint: 'fk_agent_data_source_delivery_job' },
    });
  });
});

describe('a token that is limited to one agent', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Two agents of one workspace, and a token for the first of them. */
  async function limited(): Promise<{ readonly api: ApiClient; readonly own: Side; readonly other: Side }> {
    const own = await side('own', 3);
    const { customer } = own.agent;
    const agent = await customer.agent();
    const endpoint = await platform().receiver.endpoint();
    const other = { agent, endpoint, sink: await agent.sink(endpoint), rows: ['row_of_other'] };
    for (const one of [own, other]) await settled(one, await finish(one, newJobId()));
    const token = await platform().token(customer.workspaceId);
    const tokens = platform().app.get(ApiTokens);
    const authenticate = tokens.authenticate.bind(tokens);
    jest.spyOn(ApiTokens.prototype, 'authenticate').mockImplementation(async (request) => {
      const caller = await authenticate(request);
      const isLimited = request.headers['authorization'] === `Bearer ${token}`;
      return caller && isLimited ? { ...caller, agentIds: new Set([own.agent.id]) } : caller;
    });
    return { api: platform().client(token), own, other };
  }

  it('sees in every list what is of its agent, and nothing else', async () => {
    const { api, own, other } = await limited();
    const all = expectStatus(await own.agent.api.get('deliveries'), 200).items as Body[];
    expect(all.map(({ agentId }) => agentId)).toEqual([other.agent.id, own.agent.id]);
    for (const path of ['deliveries', 'deliveries?order=oldest', 'deliveries?status=DELIVERED']) {
      const { items, nextCursor } = expectStatus(await api.get(path), 200);
      expect(items.map(({ agentId }: Body) => agentId)).toEqual([own.agent.id]);
      expect(nextCursor).toBeNull();
    }
    const [theirs] = all;
    for (const filter of [`sinkId=${other.sink.id}`, `jobId=${encodeURIComponent(theirs?.jobId)}`]) {
      expect(expectStatus(await api.get(`deliveries?${filter}`), 200).items).toEqual([]);
    }
    for (const list of ['deliveries', 'syncs', 'recoveries']) {
      expectStatus(await api.get(`${own.sink.path}/${list}`), 200);
      expectStatus(await api.get(`${other.sink.path}/${list}`), 404);
    }
    expectStatus(await api.get(`${own.agent.path}/data-sources`), 200);
    expectStatus(await api.get(`${other.agent.path}/data-sources`), 404);
  });

  it('reaches nothing of another agent by its ids', async () => {
    const { api, own, other } = await limited();
    const [theirs] = await other.sink.deliveries();
    const [mine] = await own.sink.deliveries();
    expectStatus(await api.get(`deliveries/${mine?.id}`), 200);
    for (const path of ['', '/payload']) expectStatus(await api.get(`deliveries/${theirs?.id}${path}`), 404);
    for (const what of ['redeliver', 'retry-now', 'cancel']) {
      expectStatus(await api.post(`deliveries/${theirs?.id}/${what}`), 404);
    }
    for (const path of ['', '/health']) expectStatus(await api.get(`${other.sink.path}${path}`), 404);
    for (const path of ['/test', '/secret']) expectStatus(await api.post(`${other.sink.path}${path}`, {}), 404);
    expectStatus(await api.post(`${other.sink.path}/pushes`, { jobId: theirs?.jobId }), 404);
    expectStatus(await api.delete(other.sink.path), 404);
    expect(other.endpoint.requests).toHaveLength(1);
  });
});

describe('a job’s id', () => {
  it('may have 255 characters, including slashes and colons: it is pushed, found, pushed manually and reported', async () => {
    const [a, b] = await twoSides({ format: 'CSV' });
    for (const one of [a, b]) await finish(one, LONGEST);
    for (const one of [a, b]) {
      const [delivery] = await one.sink.deliveries(`?jobId=${encodeURIComponent(LONGEST)}`);
      expect(await one.agent.customer.settled(delivery.id)).toMatchObject({ status: 'DELIVERED', jobId: LONGEST });
      const { headers, body } = await one.endpoint.first();
      expect(decodeURIComponent(headers['x-mt-job-id'] ?? '')).toBe(LONGEST);
      expect(body?.match(/row_of_\w+/g)).toEqual(one.rows);
      const again = expectStatus(await one.agent.api.post(`${one.sink.path}/pushes`, { jobId: LONGEST }), 409);
      expect(again.deliveryId).toBe(delivery.id);
    }
  });

  it.each([
    ['is empty', '', 'must be a string of 1 to 255 characters'],
    ['is too long', 'x'.repeat(256), 'must be a string of 1 to 255 characters'],
    ['cannot be stored', 'job_\0', 'must not contain NUL or an unpaired surrogate'],
  ])('that %s is refused everywhere with the same text', async (_what, jobId, detail) => {
    const { agent, sink } = await side('a', 1);
    const completed: JobCompleted = {
      ...{ jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId, completedAt: new Date() },
      stats: { total: 0, matched: 0, unmatched: 0 },
    };
    await expect(platform().app.get(DataSinks).recordJobCompleted(completed)).rejects.toThrow(
      new TypeError(`JobCompleted: jobId ${detail}`),
    );
    const push = expectStatus(await agent.api.post(`${sink.path}/pushes`, { jobId }), 422);
    expect(push.errors).toEqual([{ pointer: '/jobId', detail }]);
    const search = await agent.api.get(`${sink.path}/deliveries?jobId=${encodeURIComponent(jobId)}`);
    expect(expectStatus(search, 422).errors).toEqual([{ pointer: '?jobId', detail }]);
  });
});

/** Each redelivery is one try: where a connection breaks, another one is asked for. */
async function redelivered({ agent }: Side, id: string): Promise<Body> {
  return until(async () => {
    expectStatus(await agent.api.post(`deliveries/${id}/redeliver`), 202);
    const delivery = await agent.customer.settled(id);
    return delivery.status === 'DELIVERED' && delivery;
  }, `${id} is delivered again`);
}

async function expectNone({ agent }: Side, path: string): Promise<void> {
  expect((await agent.api.get(path)).status).toBe(404);
}

/** As if everything about a job of this workspace had happened so much earlier. */
async function age({ agent }: Side, jobId: string, by: string): Promise<void> {
  const shift = (table: string, id: string, ...columns: string[]): Promise<unknown> =>
    platform().sql(
      `UPDATE ${table} SET ${columns.map((c) => `${c} = ${c} - $3::interval`).join(', ')}
        WHERE workspace_id = $1 AND ${id} = $2`,
      [agent.customer.workspaceId, jobId, by],
    );
  await shift('agent_data_source_payload', 'job_id', 'created_at');
  await shift('agent_data_source_delivery', 'job_id', 'created_at', 'settled_at');
  await shift('agent_data_source_job', 'job_id', 'created_at');
  await shift('host_mapping_job', 'id', 'completed_at');
}
