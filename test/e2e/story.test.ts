import { describe, expect, it } from '@jest/globals';
import { expectStatus, resultRows, sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

describe('the story of the contract', () => {
  it('is: create a sink, test it, switch the rule on, activate the agent, and the next finished job is pushed', async () => {
    const secret = 'a secret of the customer, 32 bytes';
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], secret);
    const customer = await platform().customer();
    const agent = await customer.draftAgent();

    const body = sinkBody(endpoint.url, { secret: { value: secret } });
    const created = expectStatus(await customer.api.post(`${agent.path}/data-sources`, body), 201);
    expect(created).toMatchObject({ role: 'RESULTS_SINK', status: 'ACTIVE', secret: { hint: '****ytes' }, warnings: [] });
    const sinkPath = `${agent.path}/data-sources/${created.id}`;

    expect(expectStatus(await customer.api.post(`${sinkPath}/test`), 200)).toMatchObject({ passed: true });
    expect(await endpoint.first()).toMatchObject({ signatureIsValid: true });

    await agent.setRules({ auto_push_on_job_complete: true });
    await agent.activate();
    const jobId = await agent.finishJob(resultRows(3));

    const [, push] = await endpoint.received(2);
    expect(push).toMatchObject({ method: 'POST', signatureIsValid: true, rows: 3 });
    const { items } = expectStatus(await customer.api.get(`${sinkPath}/deliveries`), 200);
    expect(items).toHaveLength(1);
    const delivery = await customer.settled(items[0].id);
    expect(delivery).toMatchObject({ jobId, status: 'DELIVERED', trigger: 'AUTO', attemptCount: 1, reason: null });
    expect(delivery.attempts).toMatchObject([{ attemptNumber: 1, status: 'SUCCEEDED', httpStatus: 200, answerExcerpt: 'ok' }]);
  });
});
