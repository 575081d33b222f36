import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { ListenRecord } from '../../src/receiver/cli/listen-record.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { suiteListener } from '../support/receiver/suite-listener.js';

const platform = suitePlatform();
const SECRET = 'one secret for all of these sinks';
const listening = suiteListener(SECRET);

const newAgent = async (): Promise<Agent> => (await platform().customer()).agent();

/** A sink at the kit's receiver, in another process, under a path of its own. */
function kitSink(agent: Agent, path: string, format: string, config: Body = {}): Promise<Sink> {
  const url = `${listening().url}/${path}`;
  return agent.sink(url, { config: { url, authScheme: 'HmacSha256', ...config }, secret: { value: SECRET }, format });
}

/** What the kit's receiver saw, so many requests, by the last part of their path. */
async function records(count: number): Promise<ReadonlyMap<string, ListenRecord>> {
  const seen = new Map<string, ListenRecord>();
  while (seen.size < count) {
    const record = await listening().record();
    seen.set(record.path.split('/').at(-1) ?? '', record);
  }
  return seen;
}

/** As it is sent over the wire: `fetch` would decompress it. */
function download(sink: Sink, deliveryId: string): Promise<{ headers: Body; bytes: Buffer }> {
  const { origin } = platform();
  return new Promise((resolve, reject) => {
    void platform()
      .token(sink.agent.customer.workspaceId)
      .then((token) => {
        const headers = { Authorization: `Bearer ${token}` };
        get(`${origin}/api/v1/deliveries/${deliveryId}/payload`, { headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve({ headers: answer.headers, bytes: Buffer.concat(chunks) }));
        }).on('error', reject);
      });
  });
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('one job pushed to sinks of every format', () => {
  it('arrives in each format, and the kit verifies and reads it in another process', async () => {
    const agent = await newAgent();
    const sinks = new Map([
      ['json', await kitSink(agent, 'json', 'JSON')],
      ['jsonl', await kitSink(agent, 'jsonl', 'JSONL')],
      ['csv', await kitSink(agent, 'csv', 'CSV')],
      ['gzip', await kitSink(agent, 'gzip', 'JSON', { compression: 'gzip' })],
      ['few', await kitSink(agent, 'few', 'CSV', { compression: 'gzip', includeFields: ['matchMethod'] })],
    ]);
    const rows = resultRows(5_000);
    const jobId = await agent.finishJob(rows);
    const seen = await records(sinks.size);
    const kinds = [...seen].map(([path, { format, gzip }]) => [path, format, gzip]);
    expect(kinds.sort()).toEqual([
      ['csv', 'CSV', false],
      ['few', 'CSV', true],
      ['gzip', 'JSON', true],
      ['json', 'JSON', false],
      ['jsonl', 'JSONL', false],
    ]);
    for (const [path, sink] of sinks) {
      const record = seen.get(path);
      expect(record).toMatchObject({
        ...{ signatureValid: true, contentDigestValid: true, payloadError: null, status: 200, part: null },
        rows: 5_000,
        facts: { jobId, agentId: agent.id, stats: { total: 5_000, matched: 3_334, unmatched: 1_666 } },
      });
      const few = path === 'few';
      const { partnerRowId, matchMethod, ...others } = rows[0] ?? {};
      expect(record?.firstRow).toEqual({ partnerRowId, matchMethod, ...(few ? {} : others) });
      expect(record?.headers).toMatchObject({ 'content-length': String(record?.bytes) });
      const delivery = await agent.customer.settled((await sink.deliveryOf(jobId)).id);
      expect(delivery).toMatchObject({
        ...{ status: 'DELIVERED', format: record?.format, compression: record?.gzip ? 'gzip' : 'none', part: null },
        includeFields: few ? ['partnerRowId', 'matchMethod'] : null,
        payload: { sha256: record?.sha256, bytes: record?.bytes, rows: 5_000 },
      });
    }
    expect(seen.get('gzip')?.bytes).toBeLessThan((seen.get('json')?.bytes ?? 0) / 5);
  });

  it('without results is an empty body in JSON lines, and a header row in CSV', async () => {
    const agent = await newAgent();
    const [lines, csv] = [await platform().receiver.endpoint(), await platform().receiver.endpoint()];
    const linesSink = await agent.sink(lines, { format: 'JSONL' });
    await agent.sink(csv, { format: 'CSV' });
    const delivery = await linesSink.settledPush([]);
    expect(delivery).toMatchObject({ status: 'DELIVERED', payload: { bytes: 0, rows: 0 } });
    expect(await lines.first()).toMatchObject({ bytes: 0, headers: { 'content-length': '0' } });
    expect((await csv.first()).body).toBe('partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\n');
  });

  it('cannot execute formulas in a spreadsheet', async () => {
    const agent = await newAgent();
    const endpoint = await platform().receiver.endpoint();
    await agent.sink(endpoint, { format: 'CSV' });
    await agent.finishJob([{ partnerRowId: '=cmd|"/c calc"!A1', referenceHotelId: '+1,2', matchConfidence: 0.5 }]);
    expect((await endpoint.first()).body).toBe(
      'partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\n"\'=cmd|""/c calc""!A1","\'+1,2",,0.5\r\n',
    );
  });

  it('is built once for sinks with the same recipe', async () => {
    const agent = await newAgent();
    const endpoints = await Promise.all([1, 2].map(() => platform().receiver.endpoint()));
    for (const endpoint of endpoints) {
      const config = { url: endpoint.url, authScheme: 'HmacSha256', compression: 'gzip' };
      await agent.sink(endpoint, { format: 'JSONL', config });
    }
    const jobId = await agent.finishJob();
    const [first, second] = await Promise.all(endpoints.map((endpoint) => endpoint.first()));
    expect(first?.sha256).toBe(second?.sha256);
    const bodies = await platform().sql('SELECT format FROM agent_data_source_payload WHERE job_id = $1', [jobId]);
    expect(bodies).toEqual([{ format: 'JSONL;gzip' }]);
  });
});

describe('a Test', () => {
  it.each([
    ['JSON', {}],
    ['JSONL', {}],
    ['CSV', { includeFields: ['referenceHotelId'] }],
    ['JSON', { compression: 'gzip' }],
    ['CSV', { compression: 'gzip', maxRowsPerPush: 1 }],
  ])('sends %s with %j like a real push, marked as a test', async (format, config) => {
    const sink = await kitSink(await newAgent(), 'test', format, config);
    const result = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    const record = (await records(1)).get('test');
    expect(result.passed).toBe(true);
    const shown = Object.entries(result.sent.headers).map(([name, value]) => [name.toLowerCase(), value]);
    expect(record?.headers).toMatchObject(Object.fromEntries(shown) as object);
    const { compression, maxRowsPerPush } = config as { compression?: string; maxRowsPerPush?: number };
    expect(record).toMatchObject({
      ...{ signatureValid: true, contentDigestValid: true, payloadError: null, test: true, rows: 2 },
      ...{ format, gzip: compression === 'gzip', part: maxRowsPerPush ? { number: 1, of: 1 } : null },
      facts: { jobId: expect.stringMatching(/TEST$/), test: true, stats: { total: 2, matched: 1, unmatched: 1 } },
    });
    // What it shows is what was sent, before it was compressed.
    if (compression !== 'gzip') expect(sha256(result.sent.body)).toBe(record?.sha256);
    expect(result.sent.body).toContain('TEST');
  });
});

describe('the body settings of a sink', () => {
  const DEFAULTS = { compression: 'none', includeFields: null, maxRowsPerPush: null };

  it('have no effect by default', async () => {
    const sink = await (await newAgent()).sink(await platform().receiver.endpoint());
    expect(expectStatus(await sink.api.get(sink.path), 200).config).toMatchObject(DEFAULTS);
  });

  it('can be set, read, changed one by one, and reset', async () => {
    const agent = await newAgent();
    const chosen = { compression: 'gzip', includeFields: ['matchMethod', 'partnerRowId'], maxRowsPerPush: 500 };
    const sink = await kitSink(agent, 'settings', 'CSV', chosen);
    const shown = expectStatus(await sink.api.get(sink.path), 200);
    // In the order of the payload, whatever the order asked for.
    const stored = { ...chosen, includeFields: ['partnerRowId', 'matchMethod'] };
    expect(shown).toMatchObject({ format: 'CSV', config: stored });
    const patch = async (body: Body) => expectStatus(await sink.api.patch(sink.path, body), 200);
    expect(await patch({ config: { includeFields: ['matchConfidence'] } })).toMatchObject({
      config: { ...stored, includeFields: ['partnerRowId', 'matchConfidence'] },
      configVersion: 2,
    });
    expect(await patch({ format: 'JSONL' })).toMatchObject({ format: 'JSONL', config: { compression: 'gzip' } });
    expect(await patch({ config: DEFAULTS, format: 'JSON' })).toMatchObject({ format: 'JSON', config: DEFAULTS });
  });

  it('have defaults for sinks created before these settings', async () => {
    const sink = await (await newAgent()).sink(await platform().receiver.endpoint());
    await platform().sql(
      `UPDATE agent_data_source SET config = config - 'compression' - 'includeFields' - 'maxRowsPerPush' WHERE id = $1`,
      [sink.id],
    );
    expect(expectStatus(await sink.api.get(sink.path), 200).config).toMatchObject(DEFAULTS);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED', compression: 'none' });
  });
});

describe('a delivery', () => {
  const gzipSink = async (agent: Agent, steps: Body[]): Promise<Sink> => {
    const endpoint = await platform().receiver.endpoint(steps);
    return agent.sink(endpoint, {
      format: 'CSV',
      config: { url: endpoint.url, authScheme: 'HmacSha256', compression: 'gzip' },
    });
  };

  it('keeps its recipe, whatever changes at its sink while it waits', async () => {
    const agent = await newAgent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'hold', status: 503 }, { kind: 'answer' }]);
    const config = { url: endpoint.url, authScheme: 'HmacSha256', compression: 'gzip' };
    const sink = await agent.sink(endpoint, { format: 'CSV', config });
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    const change = {
      format: 'JSON',
      config: { compression: 'none', includeFields: ['matchMethod'], maxRowsPerPush: 1 },
    };
    expectStatus(await sink.api.patch(sink.path, change), 200);
    await endpoint.release();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', format: 'CSV', compression: 'gzip' });
    const [first, second] = endpoint.requests;
    expect(second?.sha256).toBe(first?.sha256);
    expect(second?.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-encoding': 'gzip',
    });
  });

  it.each([3, 20_000])(
    'of %i rows has the same compressed bytes on every attempt, also when they are made again',
    async (rows) => {
      const agent = await newAgent();
      const sink = await gzipSink(agent, [{ kind: 'answer', status: 503 }, { kind: 'answer' }]);
      const { id, jobId, payload } = await sink.settledPush(resultRows(rows));
      await platform().sql('DELETE FROM agent_data_source_payload WHERE job_id = $1', [jobId]);
      expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
      const again = await agent.customer.deliveryWhen(id, ({ attemptCount }) => attemptCount === 3, 'it is sent again');
      await agent.customer.settled(id);
      expect((await sink.deliveries())[0].payload).toEqual({ ...payload, rebuilt: true, sameAsBefore: true });
      expect(again.attempts).toHaveLength(3);
    },
  );

  it('can be downloaded as it was sent, with headers that describe it', async () => {
    const agent = await newAgent();
    const sink = await gzipSink(agent, [{ kind: 'answer' }]);
    const { id, payload } = await sink.settledPush(resultRows(3));
    const { headers, bytes } = await download(sink, id);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-encoding': 'gzip',
      'content-length': String(payload.bytes),
      'content-disposition': 'attachment',
      'content-digest': `sha-256=:${Buffer.from(payload.sha256, 'hex').toString('base64')}:`,
    });
    expect(sha256(bytes)).toBe(payload.sha256);
    expect(gunzipSync(bytes).toString().split('\r\n')).toHaveLength(5);
    // Whoever asks by fetch() need not know: it is decompressed on the way.
    expect((await sink.api.get(`deliveries/${id}/payload`)).text).toMatch(/^partnerRowId,/);
  });

  it('that is too large for its endpoint names its size and how to make it smaller', async () => {
    const agent = await newAgent();
    const sink = await agent.sink(await platform().receiver.endpoint([{ kind: 'answer', status: 413 }]));
    const { attempts, payload } = await sink.settledPush(resultRows(100));
    const size = Number(payload.bytes).toLocaleString('en-US');
    expect(attempts[0].advice).toContain(`a body of ${size} bytes is too large`);
    expect(attempts[0].advice).toContain('config.maxRowsPerPush');
    const { lastError } = expectStatus(await sink.api.get(`${sink.path}/health`), 200);
    expect(lastError.advice).toBe(attempts[0].advice);
    const test = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expect(test.advice).toContain('config.maxRowsPerPush');
  });
});
