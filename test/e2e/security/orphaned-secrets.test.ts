import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SecretVault } from '../../../src/data-sinks/index.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';
import { until } from '../../support/platform/until.js';

const TWO_HOURS_MS = 7_200_000;
const platform = suitePlatform();

afterEach(() => {
  jest.restoreAllMocks();
});

async function secretsOf(workspaceId: string): Promise<string[]> {
  const found = await platform().sql<{ id: string }>(
    'SELECT id FROM agent_data_source_secret WHERE workspace_id = $1 ORDER BY id',
    [workspaceId],
  );
  return found.map(({ id }) => id);
}

describe('a secret that a crash left behind', () => {
  it('is destroyed within the hour, and secrets in use are not', async () => {
    const agent = await (await platform().customer()).agent();
    const { workspaceId } = agent.customer;
    const sink = await agent.sink(await platform().receiver.endpoint());
    const vault = platform().app.get(SecretVault, { strict: false });
    await vault.store({ secretId: 'sec_orphan', workspaceId }, 'the secret of nobody');
    await platform().sql(`UPDATE agent_data_source_secret SET created_at = now() - interval '61 minutes'`);
    expect(await secretsOf(workspaceId)).toHaveLength(2);

    const real = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => real() + TWO_HOURS_MS);
    await until(async () => (await secretsOf(workspaceId)).length === 1, 'the sweeper destroys it');
    expect(await secretsOf(workspaceId)).not.toContain('sec_orphan');
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });
});
