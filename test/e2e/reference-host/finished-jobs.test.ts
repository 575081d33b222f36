import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { request as httpRequest } from 'node:http';
import { DataSource } from 'typeorm';
import { JOB_COMPLETED_EVENT, type JobCompleted } from '../../../src/data-sinks/index.js';
import { newId } from '../../../src/reference-host/ids.js';
import { JobStore } from '../../../src/reference-host/jobs/job-store.js';
import { rows } from '../../../src/reference-host/persistence/sql.js';
import type { StartedHost } from '../../../src/reference-host/start-host.js';
import { type Answer, newDataDirectory, newTenant, problem, send, startTestHost, type Tenant } from './host-fixture.js';

const RESULTS = [
  { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: 0.25 },
  { partnerRowId: 'row_2', referenceHotelId: null, matchMethod: null, matchConfidence: null },
];
const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('a completed job', () => {
  let host: StartedHost;
  let tenant: Tenant;
  let path: string;

  beforeAll(async () => {
    host = await startTestHost();
    tenant = await newTenant(host);
    path = `/api/v1/agents/${tenant.agentId}/mapping-jobs`;
  });
  afterAll(() => host.app.close());

  const finish = (body: unknown, headers?: Record<string, string>, query = ''): Promise<Answer> =>
    send(host, tenant.token, 'POST', `${path}${query}`, body, headers);

  async function storedRows(jobId: string): Promise<unknown[]> {
    const stored: unknown[] = [];
    for await (const batch of (await host.app
      .get(JobStore)
      .streamRows({ workspaceId: tenant.workspaceId, jobId, run: 1 })) ?? [])
      stored.push(...batch);
    return stored;
  }

  async function leftInTables(): Promise<unknown> {
    const [counts] = await rows(
      host.app.get(DataSource),
      `SELECT (SELECT count(*)::int FROM host_mapping_job) AS jobs, (SELECT count(*)::int FROM host_mapping_result) AS rows`,
    );
    return counts;
  }

  it('is counted, stored and emitted as an event', async () => {
    const heard: JobCompleted[] = [];
    host.app.get(EventEmitter2).once(JOB_COMPLETED_EVENT, (event: JobCompleted) => heard.push(event));
    const { status, body } = await finish({ results: RESULTS });
    expect(status).toBe(201);
    expect(body).toEqual({
      jobId: expect.stringMatching(/^job_[0-9A-Z]{26}$/),
      agentId: tenant.agentId,
      workspaceId: tenant.workspaceId,
      completedAt: expect.any(String),
      stats: { total: 2, matched: 1, unmatched: 1 },
    });
    expect(await storedRows(body.jobId)).toEqual(RESULTS);
    expect(heard).toEqual([{ ...body, completedAt: new Date(body.completedAt) }]);
    expect(await send(host, tenant.token, 'GET', `${path}/${body.jobId}`)).toMatchObject({ status: 200, body });
  });

  it('is recorded with the data sinks before the response', async () => {
    const { body } = await finish({ results: [] });
    const recorded = await rows(host.app.get(DataSource), 'SELECT total FROM agent_data_source_job WHERE job_id = $1', [
      body.jobId,
    ]);
    expect(recorded).toEqual([{ total: '0' }]);
  });

  it('may come from curl -d without a content type', async () => {
    expect(await finish(JSON.stringify({ results: RESULTS }))).toMatchObject({
      status: 201,
      body: { stats: { total: 2 } },
    });
  });

  it('may be sent one row per line, and keeps the order of rows', async () => {
    const many = Array.from({ length: 12_345 }, (_, i) => ({ ...RESULTS[1], partnerRowId: `row_${i}` }));
    const { status, body } = await finish(many.map((row) => JSON.stringify(row)).join('\n'), NDJSON);
    expect(status).toBe(201);
    expect(body.stats).toEqual({ total: 12_345, matched: 0, unmatched: 12_345 });
    expect(await storedRows(body.jobId)).toEqual(many);
  });

  it('sent again with the same rows has no effect', async () => {
    const jobId = newId('job');
    const first = await finish({ jobId, results: RESULTS });
    const again = await finish(RESULTS.map((row) => JSON.stringify(row)).join('\n'), NDJSON, `?jobId=${jobId}`);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(await storedRows(jobId)).toEqual(RESULTS);
  });

  it('sent twice at once is completed once', async () => {
    const jobId = newId('job');
    const answers = await Promise.all([1, 2, 3].map(() => finish({ jobId, results: RESULTS })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(await storedRows(jobId)).toEqual(RESULTS);
  });

  it('cannot take the id of another job of its workspace', async () => {
    const jobId = newId('job');
    await finish({ jobId, results: RESULTS });
    expect(await finish({ jobId, results: [] })).toEqual(problem(409, 'job-exists'));
  });

  it('can have the same id as another workspace’s job, and each sees its own', async () => {
    const jobId = newId('job');
    const { body: mine } = await finish({ jobId, results: RESULTS });
    const other = await newTenant(host);
    const elsewhere = `/api/v1/agents/${other.agentId}/mapping-jobs`;
    expect(await send(host, other.token, 'GET', `${elsewhere}/${jobId}`)).toEqual(problem(404, 'not-found'));
    const theirs = await send(host, other.token, 'POST', elsewhere, { jobId, results: [] });
    expect(theirs).toMatchObject({ status: 201, body: { jobId, workspaceId: other.workspaceId, stats: { total: 0 } } });
    expect(await send(host, other.token, 'GET', `${elsewhere}/${jobId}`)).toMatchObject({ body: theirs.body });
    expect(await send(host, tenant.token, 'GET', `${path}/${jobId}`)).toMatchObject({ body: mine });
    expect(await storedRows(jobId)).toEqual(RESULTS);
  });

  it.each(['7', 'eu/2026:05#run 1?', 'x'.repeat(255), '\u{1f600}'.repeat(255)])(
    'may have any id, such as %s',
    async (jobId) => {
      expect(await finish({ jobId, results: [] })).toMatchObject({ status: 201, body: { jobId } });
      expect(await send(host, tenant.token, 'GET', `${path}/${encodeURIComponent(jobId)}`)).toMatchObject({
        status: 200,
      });
    },
  );

  it.each<[string, unknown, Record<string, string>, object]>([
    ['no results', {}, {}, problem(422, 'validation-failed', ['/results'])],
    [
      'a number for an id',
      { results: [RESULTS[0], { partnerRowId: 2 }] },
      {},
      problem(422, 'validation-failed', ['/results/1/partnerRowId']),
    ],
    ['an unknown field', { results: [], total: 0 }, {}, problem(422, 'validation-failed', ['/total'])],
    [
      'a job id that is too long',
      { results: [], jobId: 'x'.repeat(256) },
      {},
      problem(422, 'validation-failed', ['/jobId']),
    ],
    ['an empty job id', { results: [], jobId: '' }, {}, problem(422, 'validation-failed', ['/jobId'])],
    ['half a JSON', '{ "results": [', {}, problem(400, 'malformed-json')],
    [
      'a bad line',
      '{"partnerRowId":"a"}\n{"partnerRowId":7}\n{"partnerRowId":"b"}',
      NDJSON,
      problem(422, 'validation-failed', ['/partnerRowId']),
    ],
    ['a line that is not JSON', '{"partnerRowId":"a"}\nrow', NDJSON, problem(400, 'malformed-json')],
    ['another content type', 'partnerRowId', { 'content-type': 'text/csv' }, problem(415, 'unsupported-media-type')],
    ['a compressed body', '{}', { 'content-encoding': 'gzip', ...NDJSON }, problem(415, 'unsupported-media-type')],
  ])('with %s is refused and nothing is stored', async (_, body, headers, refusal) => {
    const before = await leftInTables();
    expect(await finish(body, headers)).toEqual(refusal);
    expect(await leftInTables()).toEqual(before);
  });

  it('with a bad row after many good ones is refused, and nothing is stored', async () => {
    const before = await leftInTables();
    const lines = Array.from({ length: 30_000 }, (_, i) => (i === 25_000 ? '{}' : `{"partnerRowId":"row_${i}"}`));
    const { status, body } = await finish(lines.join('\n'), NDJSON);
    expect(status).toBe(422);
    expect(body.errors[0].detail).toMatch(/^line 25001: /);
    expect(await leftInTables()).toEqual(before);
  });

  it('of another workspace’s agent is not found', async () => {
    const other = await newTenant(host);
    expect(
      await send(host, tenant.token, 'POST', `/api/v1/agents/${other.agentId}/mapping-jobs`, { results: [] }),
    ).toEqual(problem(404, 'not-found'));
  });

  it('is invisible during its upload and blocks nobody; when the upload is aborted, nothing is stored', async () => {
    const before = await leftInTables();
    const jobId = newId('job');
    const upload = httpRequest(`${host.url}${path}?jobId=${jobId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tenant.token}`, ...NDJSON },
    });
    upload.on('error', () => undefined);
    upload.write(Array.from({ length: 3_000 }, (_, i) => `{"partnerRowId":"row_${i}"}\n`).join(''));
    await until(
      async () => (await leftInTables()) !== before && (await host.app.get(JobStore).listUnfinished(0)).length === 1,
    );

    expect(await send(host, null, 'GET', '/healthz')).toMatchObject({ status: 200 });
    expect(await send(host, tenant.token, 'GET', `${path}/${jobId}`)).toEqual(problem(404, 'not-found'));
    expect(await host.app.get(JobStore).streamRows({ workspaceId: tenant.workspaceId, jobId, run: 1 })).toBeNull();

    upload.destroy();
    await until(async () => JSON.stringify(await leftInTables()) === JSON.stringify(before));
  });
});

describe('an upload whose host died', () => {
  it('is removed after the next start, and its id is free', async () => {
    const dataDir = await newDataDirectory();
    const first = await startTestHost(dataDir);
    const tenant = await newTenant(first);
    const jobId = newId('job');
    const number = await first.app.get(JobStore).open({ jobId, ...tenant });
    await first.app.get(JobStore).append(number, 0, [{ ...RESULTS[1], partnerRowId: 'row_1' } as never]);
    await first.app.close();

    const second = await startTestHost(dataDir);
    await until(async () => (await second.app.get(JobStore).listUnfinished(0)).length === 0);
    const path = `/api/v1/agents/${tenant.agentId}/mapping-jobs`;
    expect(await send(second, tenant.token, 'POST', path, { jobId, results: [] })).toMatchObject({ status: 201 });
    await second.app.close();
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it did not come to that in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
