import { describe, expect, it } from '@jest/globals';
import { expectStatus } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

describe('a sink with a rate', () => {
  it('never gets more pushes in any second, and finally gets all of them', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', maxPushesPerSecond: 5 };
    const sink = await agent.sink(endpoint, { config });
    for (let i = 0; i < 12; i++) await agent.finishJob();
    await until(() => endpoint.requests.length === 12, 'all twelve pushes have arrived', 30_000);
    const times = endpoint.requests.map(({ receivedAtMs }) => receivedAtMs).sort((a, b) => a - b);
    // Any eleven of them take more than a second: five at once, then one in 200 ms.
    for (let i = 10; i < times.length; i++) expect((times[i] ?? 0) - (times[i - 10] ?? 0)).toBeGreaterThan(900);
    expect(expectStatus(await sink.api.get(sink.path), 200)).toMatchObject({ config: { maxPushesPerSecond: 5 } });
  });

  it('can be set and removed', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    for (const maxPushesPerSecond of [0.1, 1_000, null]) {
      const changed = expectStatus(await sink.api.patch(sink.path, { config: { maxPushesPerSecond } }), 200);
      expect(changed).toMatchObject({ config: { maxPushesPerSecond } });
    }
  });
});
