import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { DeliveryRepository } from '../../src/data-sinks/delivery/delivery.repository.js';
import type { ApiClient } from '../support/platform/api-client.js';
import { expectStatus } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

afterEach(() => void jest.restoreAllMocks());

const get = (api: ApiClient, path: string, id?: string) =>
  api.raw('GET', path, id === undefined ? {} : { headers: { 'X-Request-Id': id } });

describe('X-Request-Id', () => {
  it('of a request is that of its answer, and the requestId of its problem', async () => {
    const { api } = await platform().customer();
    const [found, missing] = [await get(api, 'deliveries', 'ask-1'), await get(api, 'deliveries/dlv_none', 'ask-2')];
    expectStatus(found, 200);
    expect(found.headers.get('x-request-id')).toBe('ask-1');
    expect(expectStatus(missing, 404).requestId).toBe('ask-2');
    expect(missing.headers.get('x-request-id')).toBe('ask-2');
  });

  it('is in answers of every kind: made, deleted, refused, not authenticated, a body that cannot be read', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const json = { 'Content-Type': 'application/json' };
    const answers = [
      await sink.api.patch(sink.path, { name: 'Another' }),
      await sink.api.raw('PATCH', sink.path, { headers: json, body: '{' }),
      await sink.api.get(`${sink.path}/deliveries?limit=0`),
      await platform().client(null).get(sink.path),
      await sink.api.delete(sink.path),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 422, 401, 204]);
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    expect(ids.filter((id) => id === null)).toEqual([]);
    expect(new Set(ids).size).toBe(answers.length);
    for (const { status, headers, body } of answers.filter((one) => one.status >= 400)) {
      expect({ status, id: body.requestId }).toEqual({ status, id: headers.get('x-request-id') });
    }
  });

  it('that is not sane is replaced', async () => {
    const { api } = await platform().customer();
    for (const id of ['two words', 'x'.repeat(129), '"><script>']) {
      const answer = await get(api, 'deliveries/dlv_none', id);
      expect(expectStatus(answer, 404).requestId).toMatch(/^[\da-f-]{36}$/);
      expect(answer.text).not.toContain(id);
    }
  });

  it('is in the log line of a request that failed of something unexpected', async () => {
    const { api } = await platform().customer();
    jest.spyOn(DeliveryRepository.prototype, 'list').mockRejectedValue(new Error('of something unexpected'));
    const answer = expectStatus(await get(api, 'deliveries', 'ask-500'), 500);
    expect(answer.requestId).toBe('ask-500');
    const lines = platform().logs.lines.filter((line) => line.includes('of something unexpected'));
    expect(lines).toEqual([expect.stringContaining('ask-500')]);
  });
});
