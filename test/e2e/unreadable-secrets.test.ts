import { describe, expect, it } from '@jest/globals';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

describe('a secret that the vault cannot decrypt', () => {
  it.each([
    ['its key is not among VAULT_KEYS', `key_id = 'k2024'`, /secret_key_unknown, sealed with the key ..?k2024/],
    [
      'its key is another one of the same id',
      'ciphertext = set_byte(ciphertext, 14, get_byte(ciphertext, 14) # 1)',
      /secret_tampered, sealed with the key /,
    ],
  ])('is not reported as missing when %s, in the log of a push and of a Test', async (_why, change, reason) => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    // While others can be opened, each that cannot has a line of its own. This sink's own is not: it would be kept.
    await (await (await (await platform().customer()).agent()).sink(endpoint)).settledPush();
    const [row] = await platform().sql<{ secret_id: string }>(
      `UPDATE agent_data_source_secret SET ${change}
        WHERE id = (SELECT secret_id FROM agent_data_source WHERE id = $1) RETURNING id AS secret_id`,
      [sink.id],
    );
    const secretId = row?.secret_id ?? 'no secret';
    const jobId = await agent.finishJob();
    const line = await platform().logs.line(/"event":"delivery.not_prepared"/, secretId);
    expect(line).toMatch(reason);
    expect(line).not.toContain(sink.secret);
    expect(await sink.deliveryOf(jobId)).toMatchObject({ settledAt: null });

    expect((await agent.api.post(`${sink.path}/test`)).status).toBe(500);
    expect(await platform().logs.line(/"event":"request.failed"/, secretId)).toMatch(reason);
  });
});
