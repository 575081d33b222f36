import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import { type Body } from '../support/platform/api-client.js';
import { expectStatus } from '../support/platform/customer.js';
import { FakeAws } from '../support/s3/fake-aws-process.js';
import { OTHER_ROLE, PLATFORM_KEYS, ROLE, s3WithRoles } from '../support/s3/role-platform.js';

let aws: FakeAws;
beforeAll(async () => {
  aws = await FakeAws.start();
});
const { platform, visitAs } = suiteConsole({}, () => ({ destinations: [s3WithRoles(aws.url)] }));
afterAll(() => aws.stop());

describe('an S3 sink with a role, by clicks', () => {
  it('shows its external id and trust policy once it is saved, passes its Test, and takes another role', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}/add/s3`);
    await visitor.field('Name').fill('Lake');
    await visitor.field('Bucket').fill('acme-mapping-results');
    await visitor.field(/^Prefix/).fill('incoming/');
    await visitor.field('Region').fill('eu-west-1');
    await visitor.field(/^Endpoint URL/).fill(aws.url);
    await visitor.page.getByRole('radio', { name: /A role at AWS/ }).check();
    await visitor.field('Role').fill('mapping-results');
    await visitor.button('Save').click();
    await visitor.sees('Must be the ARN of a role, such as arn:aws:iam::123456789012:role/mapping-results.');
    expect(await inspect(visitor, 's3-role-refused', visitor.button('Save'))).toEqual([]);
    await visitor.field('Role').fill(ROLE);
    await visitor.button('Save').click();
    await visitor.heading('Lake is saved').waitFor();

    const [sink] = expectStatus(await customer.api.get(`${agent.path}/data-sources`), 200).items as Body[];
    const { externalId } = sink?.['config'] as { externalId: string };
    expect(await visitor.page.getByLabel('the trust policy').first().textContent()).toBe(sink?.['trustPolicy']);
    await visitor.sees(externalId);
    expect(await inspect(visitor, 's3-role-saved', visitor.link('Go on to the test'))).toEqual([]);

    await aws.be({ platform: PLATFORM_KEYS, roles: { [ROLE]: externalId, [OTHER_ROLE]: null } });
    await visitor.link('Go on to the test').click();
    await visitor.button('Send a test').click();
    await visitor.sees('without it the role cannot be assumed');
    await visitor.sees('wrote incoming/_test-');

    await visitor.go(`agents/${agent.id}/data-sources/${sink?.['id'] as string}/settings`);
    await visitor.heading('Trust').waitFor();
    await visitor.field('Role').fill(OTHER_ROLE);
    await visitor.button('Save').click();
    await visitor.sees('Saved. The next attempts use it.');
    await visitor.go(`agents/${agent.id}/data-sources/${sink?.['id'] as string}/test`);
    await visitor.button('Send a test').click();
    await visitor.sees('the role can be assumed without it');
    expect(visitor.complaints).toEqual([]);
  });
});
