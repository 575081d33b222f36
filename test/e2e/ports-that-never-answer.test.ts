import { afterEach, expect, it, jest } from '@jest/globals';
import { DatabaseSecretVault } from '../../src/data-sinks/vault/database-secret-vault.js';
import { sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

afterEach(() => void jest.restoreAllMocks());

it('a vault that never answers fails the request, and releases its connection', async () => {
  const agent = await (await platform().customer()).agent();
  const store = jest.spyOn(DatabaseSecretVault.prototype, 'store');
  store.mockImplementationOnce(() => new Promise(() => undefined));
  const path = `${agent.path}/data-sources`;
  const url = 'https://internal.acme.com/mapping-results';
  expect(await agent.api.post(path, sinkBody(url))).toMatchObject({ status: 503 });
  expect(await agent.api.post(path, sinkBody(url))).toMatchObject({ status: 201 });
  expect(store).toHaveBeenCalledTimes(2);
});
