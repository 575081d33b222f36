import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { MappingResultRow } from '../../src/data-sinks/domain/job-completed.js';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink, sinkBody } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { readParquet } from '../support/parquet/read-back.js';

const platform = suitePlatform();

const SECRET = 'one secret for all of these sinks';
const newAgent = async (): Promise<Agent> => (await platform().customer()).agent();

async function parquetSink(
  agent: Agent,
  given: Body = {},
  steps: ReceiverStep[] = [{ kind: 'answer' }],
): Promise<{ sink: Sink; endpoint: Endpoint }> {
  const endpoint = await platform().receiver.endpoint(steps, SECRET);
  const config = { url: endpoint.url, authScheme: 'HmacSha256', ...given };
  return { sink: await agent.sink(endpoint, { format: 'PARQUET', config, secret: { value: SECRET } }), endpoint };
}

/** The exact bytes of a delivery, with the headers that they come with. */
async function download(sink: Sink, deliveryId: string): Promise<{ bytes: Buffer; headers: Headers }> {
  const token = await platform().token(sink.agent.customer.workspaceId);
  const url = `${platform().origin}/api/v1/deliveries/${deliveryId}/payload`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return { bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

afterEach(() => void jest.restoreAllMocks());

async function* batches(rows: readonly object[]): AsyncGenerator<readonly MappingResultRow[]> {
  for (let at = 0; at < rows.length; at += 1_000) yield rows.slice(at, at + 1_000) as MappingResultRow[];
}

describe('a sink of format PARQUET', () => {
  it.each([
    [3, 'snappy'],
    [45_000, 'snappy'],
    [45_000, 'gzip'],
  ])(
    'gets a job of %i rows as a file of codec %s, signed, and readable as it can be downloaded',
    async (count, codec) => {
      const agent = await newAgent();
      const { sink, endpoint } = await parquetSink(agent, { parquetCodec: codec });
      const rows = resultRows(count);
      const delivery = await sink.settledPush(rows);
      expect(delivery).toMatchObject({
        ...{ status: 'DELIVERED', format: 'PARQUET', compression: 'none', parquetCodec: codec, csvFormulas: null },
        payload: { rows: count },
      });
      const request = await endpoint.first();
      expect(request.headers).toMatchObject({
        ...{ 'content-type': 'application/vnd.apache.parquet', 'content-length': String(delivery.payload.bytes) },
        ...{ 'x-mt-job-id': delivery.jobId, 'x-mt-stats': expect.stringContaining(`total=${count}`) },
      });
      expect(request.headers['content-encoding']).toBeUndefined();
      expect(request.sha256).toBe(delivery.payload.sha256);
      expect(request.signatureIsValid).toBe(true);
      const { bytes, headers } = await download(sink, delivery.id);
      expect(headers.get('content-type')).toBe('application/vnd.apache.parquet');
      expect(headers.get('content-encoding')).toBeNull();
      expect(sha256(bytes)).toBe(delivery.payload.sha256);
      const read = await readParquet(bytes);
      expect(read.rows).toEqual(rows);
      expect(read.codecs).toEqual([codec.toUpperCase()]);
    },
  );

  it('gets the chosen fields, and those of the job with every row', async () => {
    const agent = await newAgent();
    const { sink, endpoint } = await parquetSink(agent, {
      includeFields: ['run', 'completedAt', 'jobId', 'matchMethod'],
    });
    const { id, jobId, includeFields } = await sink.settledPush(resultRows(3));
    expect(includeFields).toEqual(['partnerRowId', 'matchMethod', 'jobId', 'completedAt', 'run']);
    const { rows } = await readParquet((await download(sink, id)).bytes);
    expect(rows).toEqual(
      resultRows(3).map(({ partnerRowId, matchMethod }) => ({
        ...{ partnerRowId, matchMethod, jobId, completedAt: expect.any(Date), run: 1 },
      })),
    );
    const { headers } = await endpoint.first();
    const [{ completedAt }] = rows as [{ completedAt: Date }];
    expect(new Date(String(headers['x-mt-completed-at'])).getTime()).toBe(completedAt.getTime());
  });

  it('gets a job in parts, each a whole file', async () => {
    const agent = await newAgent();
    const { sink, endpoint } = await parquetSink(agent, { maxRowsPerPush: 15_000 });
    const rows = resultRows(40_000);
    const jobId = await agent.finishJob(rows);
    const requests = await endpoint.received(3);
    expect(requests.map(({ headers }) => headers['x-mt-part']).sort()).toEqual(['1/3', '2/3', '3/3']);
    const deliveries = (await sink.deliveries()).filter((one: Body) => one.jobId === jobId);
    const read = [];
    for (const { id } of [...deliveries].sort((a, b) => a.part.number - b.part.number)) {
      await agent.customer.settled(id);
      read.push(...(await readParquet((await download(sink, id)).bytes)).rows);
    }
    expect(read).toEqual(rows);
  });

  it.each([3, 45_000])(
    'sends %i rows in the same bytes on every attempt, also when they are made again',
    async (count) => {
      const agent = await newAgent();
      const { sink } = await parquetSink(agent, {}, [{ kind: 'answer', status: 503 }, { kind: 'answer' }]);
      const { id, jobId, payload } = await sink.settledPush(resultRows(count));
      await platform().sql('DELETE FROM agent_data_source_payload WHERE job_id = $1', [jobId]);
      expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
      await agent.customer.deliveryWhen(id, ({ attemptCount }) => attemptCount === 3, 'it is sent again');
      await agent.customer.settled(id);
      expect((await sink.deliveries())[0].payload).toEqual({ ...payload, rebuilt: true, sameAsBefore: true });
    },
  );

  it('sends nothing of a job with a row that does not fit the schema, and says which field', async () => {
    const agent = await newAgent();
    const { sink, endpoint } = await parquetSink(agent);
    const rows = resultRows(25_000);
    const unfit = { ...rows.at(-1), matchMethod: 'half \ud83c of a character' };
    jest.spyOn(JobStore.prototype, 'streamRows').mockImplementation(async () => batches([...rows.slice(0, -1), unfit]));
    expect(await sink.settledPush(rows)).toMatchObject({
      status: 'FAILED',
      reason: 'results_invalid',
      attemptCount: 0,
    });
    expect(endpoint.requests).toEqual([]);
  });

  it('can be tested: two rows, marked in a header, and shown as lines of JSON', async () => {
    const agent = await newAgent();
    const { sink, endpoint } = await parquetSink(agent, { maxRowsPerPush: 5, includeFields: ['jobId'] });
    const result = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expect(result.passed).toBe(true);
    const request = await endpoint.first();
    expect(request.headers).toMatchObject({
      ...{ 'content-type': 'application/vnd.apache.parquet', 'x-mt-test': 'true', 'x-mt-part': '1/1' },
    });
    expect(request.signatureIsValid).toBe(true);
    const shown = (result.sent.body as string).trim().split('\n');
    expect(shown.map((line) => Object.keys(JSON.parse(line) as object))).toEqual([
      ['partnerRowId', 'jobId'],
      ['partnerRowId', 'jobId'],
    ]);
  });
});

describe('what PARQUET cannot be asked with', () => {
  const COMPRESSED = {
    type: 'https://mapping.travel/errors/validation-failed',
    errors: [{ pointer: '/config/compression', detail: expect.stringContaining('must be none for PARQUET') }],
  };
  const gzip = (url: string) => ({ url, authScheme: 'HmacSha256', compression: 'gzip' });

  it('is refused when a sink is created: compression around a file, and codecs that nobody knows', async () => {
    const agent = await newAgent();
    const { url } = await platform().receiver.endpoint();
    const create = (more: Body) => agent.api.post(`${agent.path}/data-sources`, sinkBody(url, more));
    expect(expectStatus(await create({ format: 'PARQUET', config: gzip(url) }), 422)).toMatchObject(COMPRESSED);
    const config = { url, authScheme: 'HmacSha256', parquetCodec: 'zstd', csvFormulas: 'no' };
    expect(expectStatus(await create({ format: 'PARQUET', config }), 422).errors).toEqual([
      { pointer: '/config/csvFormulas', detail: 'must be one of escape, raw' },
      { pointer: '/config/parquetCodec', detail: 'must be one of snappy, gzip' },
    ]);
  });

  it('is refused when a sink is changed, from either side, and passes when both are changed', async () => {
    const agent = await newAgent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint, { format: 'CSV', config: gzip(endpoint.url) });
    const patch = (body: Body) => sink.api.patch(sink.path, body);
    expect(expectStatus(await patch({ format: 'PARQUET' }), 422)).toMatchObject(COMPRESSED);
    const both = { format: 'PARQUET', config: { compression: 'none', parquetCodec: 'gzip' } };
    expect(expectStatus(await patch(both), 200)).toMatchObject(both);
    expect(expectStatus(await patch({ config: { compression: 'gzip' } }), 422)).toMatchObject(COMPRESSED);
    // Of no effect in another format, so that going back needs no other change.
    expect(expectStatus(await patch({ format: 'JSON' }), 200)).toMatchObject({ config: { parquetCodec: 'gzip' } });
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED', format: 'JSON', parquetCodec: null });
  });
});

describe('fields of the job', () => {
  it.each([
    ['JSON', (body: string) => JSON.parse(body).results[0]],
    ['JSONL', (body: string) => JSON.parse(body.split('\n')[0] ?? '')],
    ['CSV', (body: string) => Object.fromEntries(zip(body.split('\r\n').map((line) => line.split(','))))],
  ])('can be sent with every row in %s', async (format, firstRow) => {
    const agent = await newAgent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', includeFields: ['jobId', 'completedAt'] };
    const sink = await agent.sink(endpoint, { format, config });
    const { jobId } = await sink.settledPush(resultRows(3));
    const row = firstRow((await endpoint.first()).body ?? '') as Body;
    expect(Object.keys(row)).toEqual(['partnerRowId', 'jobId', 'completedAt']);
    expect(row).toMatchObject({ jobId, completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
  });
});

describe('csvFormulas: raw', () => {
  it('writes text as it is', async () => {
    const agent = await newAgent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', csvFormulas: 'raw' };
    const sink = await agent.sink(endpoint, { format: 'CSV', config });
    const delivery = await sink.settledPush([{ partnerRowId: '=1+1', referenceHotelId: "'@a", matchConfidence: 0.5 }]);
    expect(delivery).toMatchObject({ status: 'DELIVERED', csvFormulas: 'raw' });
    expect((await endpoint.first()).body).toBe(
      "partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\n=1+1,'@a,,0.5\r\n",
    );
  });
});

function zip([names = [], values = []]: readonly string[][]): [string, string][] {
  return names.map((name, i) => [name, values[i] ?? '']);
}
