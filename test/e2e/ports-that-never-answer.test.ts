import { afterEach, expect, it, jest } from '@jest/globals';
import { SecretVault } from '../../src/data-sinks/index.js';
import { sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

afterEach(() => void jest.restoreAllMocks());

it('a vault that never answers fails the request that asks it, and gives its connection back', async () => {
  const agent = await (await platform().customer()).agent();
  const store = jest.spyOn(platform().app.get(SecretVault, { strict: false }), 'store');
  store.mockImplementationOnce(() => new Promise(() => undefined));
  const path = `${agent.path}/data-sources`;
  const url = 'https://internal.acme.com/mapping-results';
  expect(await agent.api.post(path, sinkBody(url))).toMatchObject({ status: 503 });
  expect(await agent.api.post(path, sinkBody(url))).toMatchObject({ status: 201 });
  expect(store).toHaveBeenCalledTimes(2);
});
