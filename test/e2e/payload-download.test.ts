import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

async function aSink(): Promise<Sink> {
  const agent = await (await platform().customer()).agent();
  return agent.sink(await platform().receiver.endpoint());
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('the payload of a delivery', () => {
  it.each([3, 20_000])('of %i rows can be downloaded, byte for byte as it was sent', async (rows) => {
    const sink = await aSink();
    const { id, payload } = await sink.settledPush(resultRows(rows));
    const answer = await sink.api.get(`deliveries/${id}/payload`);
    expectStatus(answer, 200);
    expect(sha256(answer.text)).toBe(payload.sha256);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('content-length')).toBe(String(payload.bytes));
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(answer.headers.get('cache-control')).toBe('no-store, no-transform');
    const digest = Buffer.from(payload.sha256, 'hex').toString('base64');
    expect(answer.headers.get('content-digest')).toBe(`sha-256=:${digest}:`);
    expect(answer.body.results).toHaveLength(rows);
  });

  it.each([
    ['*/*', 'application/json', 'gzip'],
    ['application/gzip', 'application/gzip', null],
  ])('that is compressed is returned for Accept: %s as %s, with the same bytes', async (accept, type, encoding) => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', compression: 'gzip' };
    const { id, payload } = await (await agent.sink(endpoint, { config })).settledPush();
    const answer = await agent.api.raw('GET', `deliveries/${id}/payload`, { headers: { Accept: accept } });
    expectStatus(answer, 200);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('content-length')).toBe(String(payload.bytes));
    expect(answer.headers.get('vary')).toContain('Accept');
  });

  it('is gone after its bytes were erased', async () => {
    const sink = await aSink();
    const { id, jobId } = await sink.settledPush();
    await platform().sql('DELETE FROM agent_data_source_payload WHERE job_id = $1', [jobId]);
    const gone = expectStatus(await sink.api.get(`deliveries/${id}/payload`), 410);
    expect(gone.type).toBe('https://mapping.travel/errors/payload-gone');
  });

  it('is gone when the body was rebuilt with other bytes', async () => {
    const sink = await aSink();
    const { id } = await sink.settledPush();
    await platform().sql('UPDATE agent_data_source_delivery SET payload_sha256 = $2 WHERE id = $1', [
      id,
      Buffer.alloc(32),
    ]);
    expectStatus(await sink.api.get(`deliveries/${id}/payload`), 410);
  });

  it('is cut off when stored bytes turn out to be missing', async () => {
    const sink = await aSink();
    const { id, jobId } = await sink.settledPush();
    await platform().sql(
      `DELETE FROM agent_data_source_payload_chunk WHERE body_id =
         (SELECT body_id FROM agent_data_source_payload WHERE job_id = $1)`,
      [jobId],
    );
    await expect(sink.api.get(`deliveries/${id}/payload`)).rejects.toThrow();
  });

  it('that was not built yet is not found', async () => {
    const sink = await aSink();
    const { id, jobId } = await sink.settledPush();
    await platform().sql('DELETE FROM agent_data_source_payload WHERE job_id = $1', [jobId]);
    await platform().sql('UPDATE agent_data_source_delivery SET payload_sha256 = NULL WHERE id = $1', [id]);
    expectStatus(await sink.api.get(`deliveries/${id}/payload`), 404);
  });

  it('is not found from another workspace', async () => {
    const { id } = await (await aSink()).settledPush();
    const stranger = await platform().customer();
    expectStatus(await stranger.api.get(`deliveries/${id}/payload`), 404);
  });
});

describe('the list of deliveries', () => {
  it.each(['newest', 'oldest'])('can be read page by page, %s first, each delivery once', async (order) => {
    const sink = await aSink();
    const made = [];
    for (let i = 0; i < 5; i += 1) made.push((await sink.settledPush()).id);
    const read: string[] = [];
    let cursor = '';
    do {
      const path = `${sink.path}/deliveries?order=${order}&limit=2&since=2020-01-01T00:00:00Z${cursor}`;
      const page = expectStatus(await sink.api.get(path), 200);
      read.push(...page.items.map(({ id }: { id: string }) => id));
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
    } while (cursor !== '');
    expect(read).toEqual(order === 'oldest' ? made : [...made].reverse());
  });

  it('refuses an unknown order', async () => {
    const sink = await aSink();
    const refused = expectStatus(await sink.api.get(`${sink.path}/deliveries?order=random`), 422);
    expect(refused.errors).toEqual([{ pointer: '?order', detail: 'must be one of newest, oldest' }]);
  });
});
