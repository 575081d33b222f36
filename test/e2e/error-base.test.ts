import { describe, expect, it } from '@jest/globals';
import { expectStatus } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const ERROR_BASE = 'https://docs.platform.example/problems#';

const platform = suitePlatform({ options: { errorBase: ERROR_BASE } });

describe('with errorBase, the type of an error', () => {
  it.each([
    ['of the guard', 'unauthenticated', 401, null, '{}'],
    ['of a body that is read before the host reads it', 'malformed-json', 400, 'token', '{"name": '],
    ['of a request that is not valid', 'validation-failed', 422, 'sinks', '{}'],
  ])('%s begins with it', async (_, code, status, as, body) => {
    const customer = await platform().customer();
    const path = as === 'sinks' ? (await customer.agent()).path : 'agents/agt_01NOBODY';
    const answer = await fetch(`${platform().origin}/api/v1/${path}/data-sources`, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/json',
        ...(as !== null && { Authorization: `Bearer ${await platform().token(customer.workspaceId)}` }),
      },
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await answer.json()).toMatchObject({ type: `${ERROR_BASE}${code}`, status });
  });

  it('of the host’s own routes begins with it where the host uses the module’s filter', async () => {
    const customer = await platform().customer();
    const answer = await customer.api.get('there-is-nothing-here');
    expect(expectStatus(answer, 404).type).toBe(`${ERROR_BASE}not-found`);
  });
});
