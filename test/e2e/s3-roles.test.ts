import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { type AwsState, FakeAws } from '../support/s3/fake-aws-process.js';
import { OTHER_ROLE, OWN_ACCOUNT, PLATFORM_KEYS, ROLE, s3WithRoles } from '../support/s3/role-platform.js';

let aws: FakeAws;
beforeAll(async () => {
  aws = await FakeAws.start();
});
const platform = suitePlatform(() => ({ destinations: [s3WithRoles(aws.url)] }));
afterAll(() => aws.stop());

const KEYS = { accessKeyId: 'AKIACUSTOMER', secretAccessKey: 'customer-secret-access-key' };
let prefixes = 0;

function roleBody(config: Readonly<Record<string, unknown>> = {}, more: object = {}): Record<string, unknown> {
  const place = { bucket: 'acme-mapping-results', prefix: `lake-${(prefixes += 1)}/`, region: 'eu-west-1' };
  return {
    ...{ role: 'RESULTS_SINK', type: 'S3', name: 'Lake', format: 'JSONL' },
    config: { ...place, endpointUrl: aws.url, roleArn: ROLE, ...config },
    ...more,
  };
}

const create = (agent: Agent, body: object): Promise<Answer> => agent.api.post(`${agent.path}/data-sources`, body);
const newAgent = async (): Promise<Agent> => (await platform().customer()).agent();

interface WithRole {
  readonly agent: Agent;
  readonly sink: Sink;
  readonly externalId: string;
  readonly config: Body;
}

/** A sink whose role demands the external id that the answer showed. */
async function trusted(config: Readonly<Record<string, unknown>> = {}): Promise<WithRole> {
  const agent = await newAgent();
  const created = expectStatus(await create(agent, roleBody(config)), 201);
  const shown = created['config'] as Body;
  const externalId = shown['externalId'] as string;
  await aws.be({ platform: PLATFORM_KEYS, roles: { [ROLE]: externalId } });
  return { agent, sink: new Sink(agent, created['id'] as string, ''), externalId, config: shown };
}

const results = ({ asked }: AwsState): string[] => asked.map(({ result }) => result);
const oneSession = ['session', 'AccessDenied'];

/** Every row of every table, as text. */
async function everythingStored(): Promise<string> {
  const tables = await platform().sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'agent_data_source%'`,
  );
  const rows = tables.map(({ name }) => platform().sql<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`));
  return JSON.stringify(await Promise.all(rows));
}

describe('an S3 sink with a role', () => {
  it('is created without a secret, and shows the external id of its workspace and the trust policy to copy', async () => {
    const { agent, sink, externalId } = await trusted();
    const read = expectStatus(await agent.api.get(sink.path), 200);
    expect(externalId).toMatch(/^[\w-]{32}$/);
    expect(read).toMatchObject({ config: { roleArn: ROLE, externalId }, secret: { hint: null } });
    expect(JSON.parse(read['trustPolicy'] as string)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${OWN_ACCOUNT}:root` },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': externalId } },
        },
      ],
    });
    const listed = expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200);
    expect((listed['items'] as Body[])[0]).toMatchObject({ trustPolicy: read['trustPolicy'] });
  });

  it('has the external id of its workspace, made once where several are saved at once; another workspace has another', async () => {
    const agent = await newAgent();
    const idOf = (answer: Answer): unknown => (expectStatus(answer, 201)['config'] as Body)['externalId'];
    const made = await Promise.all(Array.from({ length: 4 }, () => create(agent, roleBody())));
    const ids = new Set(made.map(idOf));
    expect(ids.size).toBe(1);
    const other = idOf(await create(await newAgent(), roleBody()));
    expect(ids.has(other)).toBe(false);
  });

  it('writes each job with a session of the role, cut to its prefix and named by ids, which the next job uses too', async () => {
    const { agent, sink, externalId, config } = await trusted();
    const first = await sink.settledPush(resultRows(2));
    const second = await sink.settledPush(resultRows(1));
    expect([first['status'], second['status']]).toEqual(['DELIVERED', 'DELIVERED']);
    const state = await aws.state();
    expect(results(state)).toEqual(oneSession);
    const [begun, without] = state.asked;
    const name = `${agent.customer.workspaceId}.${sink.id}`;
    expect([begun, without]).toMatchObject([
      { role: ROLE, externalId, name, seconds: 3_600 },
      { role: ROLE, externalId: null, name },
    ]);
    const objects = `arn:aws:s3:::acme-mapping-results/${config['prefix'] as string}*`;
    expect(JSON.parse(begun?.policy ?? '')).toMatchObject({
      Statement: [
        {
          Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:GetObject'],
          Resource: objects,
        },
        { Action: 's3:ListBucketMultipartUploads', Resource: 'arn:aws:s3:::acme-mapping-results' },
        { Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Condition: { StringEquals: expect.anything() } },
      ],
    });
    expect(state.objects).toHaveLength(2);
    expect(new Set(state.stored.map(({ accessKeyId }) => accessKeyId)).size).toBe(1);
  });

  it('renews a session before it ends, and one that the store says has ended in the same attempt', async () => {
    const { sink } = await trusted();
    await sink.settledPush();
    await aws.endSessions();
    const renewed = await sink.settledPush();
    expect(renewed).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    let state = await aws.state();
    expect(results(state)).toEqual([...oneSession, ...oneSession]);
    expect(state.stored.map(({ status }) => status)).toEqual([200, 400, 200]);

    await aws.endSessions();
    await aws.become({ sessionSeconds: 240 });
    await sink.settledPush();
    await sink.settledPush();
    state = await aws.state();
    // The last one lasts for less than five minutes more: it is not waited for its end.
    expect(results(state)).toEqual([...oneSession, ...oneSession, ...oneSession, ...oneSession]);
    expect(state.stored.map(({ status }) => status)).toEqual([200, 400, 200, 400, 200, 200]);
  });

  it('writes with another role from the next attempt on once the role is changed, and its old secret is gone', async () => {
    const { agent, sink, externalId } = await trusted();
    await sink.settledPush();
    await aws.become({ roles: { [ROLE]: externalId, [OTHER_ROLE]: externalId } });
    const before = await platform().sql<{ secret_id: string }>(
      'SELECT secret_id FROM agent_data_source WHERE id = $1',
      [sink.id],
    );
    const changed = expectStatus(await agent.api.patch(sink.path, { config: { roleArn: OTHER_ROLE } }), 200);
    expect(changed).toMatchObject({ config: { roleArn: OTHER_ROLE, externalId }, configVersion: 2 });
    await sink.settledPush();
    expect((await aws.state()).objects.map(({ role }) => role).sort()).toEqual([ROLE, OTHER_ROLE]);
    expect(
      await platform().sql('SELECT 1 FROM agent_data_source_secret WHERE id = $1', [before[0]?.secret_id]),
    ).toEqual([]);
  });

  it('takes the place of keys by a change, which are destroyed, and gives it back for keys alone', async () => {
    const agent = await newAgent();
    const { id } = expectStatus(await create(agent, roleBody({ roleArn: undefined }, { secret: KEYS })), 201);
    const sink = new Sink(agent, id as string, '');
    const keys = await platform().sql<{ secret_id: string }>('SELECT secret_id FROM agent_data_source WHERE id = $1', [
      id,
    ]);
    const both = await agent.api.patch(sink.path, { config: { roleArn: ROLE }, secret: KEYS });
    expect(both.body).toMatchObject({ errors: [{ pointer: '/secret', detail: expect.stringContaining('either') }] });
    const withRole = expectStatus(await agent.api.patch(sink.path, { config: { roleArn: ROLE } }), 200);
    expect(withRole).toMatchObject({ secret: { hint: null }, config: { externalId: expect.any(String) } });
    expect(await platform().sql('SELECT 1 FROM agent_data_source_secret WHERE id = $1', [keys[0]?.secret_id])).toEqual(
      [],
    );
    const without = await agent.api.patch(sink.path, { config: { roleArn: null } });
    expect(without.body).toMatchObject({ type: expect.stringMatching(/secret-required$/) });
    const back = expectStatus(await agent.api.patch(sink.path, { config: { roleArn: null }, secret: KEYS }), 200);
    expect(back).toMatchObject({
      config: { roleArn: null, externalId: null },
      trustPolicy: null,
      secret: { hint: expect.stringContaining('accessKeyId') },
    });
  });

  it('needs its role again when its place changes or its prefix becomes wider, and has no secret to rotate', async () => {
    const { agent, sink } = await trusted();
    for (const config of [{ bucket: 'another-bucket' }, { region: 'eu-north-1' }, { prefix: '' }]) {
      const refused = await agent.api.patch(sink.path, { config });
      expect([config, refused.status, refused.body]).toEqual([
        config,
        422,
        expect.objectContaining({
          type: expect.stringMatching(/secret-required$/),
          errors: [expect.objectContaining({ pointer: '/config/roleArn' })],
        }),
      ]);
    }
    expectStatus(await agent.api.patch(sink.path, { config: { bucket: 'another-bucket', roleArn: ROLE } }), 200);
    expectStatus(await agent.api.patch(sink.path, { name: 'Renamed' }), 200);
    for (const body of [{}, KEYS]) {
      const rotated = await agent.api.post(`${sink.path}/secret`, body);
      expect([rotated.status, rotated.body['detail']]).toEqual([422, expect.stringContaining('has no secret')]);
    }
  });

  it.each([
    ['an external id of the caller’s', { externalId: 'mine' }, '/config/externalId'],
    ['what is no role', { roleArn: 'arn:aws:iam::999988887777:user/somebody' }, '/config/roleArn'],
    ['a role with a line break', { roleArn: `${ROLE}\n` }, '/config/roleArn'],
    ['a role of the platform’s own account', { roleArn: `arn:aws:iam::${OWN_ACCOUNT}:role/any` }, '/config/roleArn'],
    ['a region that is none of AWS’s', { region: 'auto' }, '/config/region'],
    ['a region that leads elsewhere', { region: 'evil-1' }, '/config/region'],
    ['a region of another partition', { region: 'cn-north-1' }, '/config/region'],
    ['a prefix that no policy can name', { prefix: '😀'.repeat(128) }, '/config/prefix'],
  ])('is refused for %s, with a pointer to it', async (_what, config, pointer) => {
    const answer = await create(await newAgent(), roleBody(config));
    expect(answer.status).toBe(422);
    expect((answer.body['errors'] as Body[]).map((it) => it['pointer'])).toEqual([pointer]);
  });

  it('is refused with keys beside its role, and without both', async () => {
    const agent = await newAgent();
    for (const body of [roleBody({}, { secret: KEYS }), roleBody({ roleArn: null })]) {
      const { status, body: problem } = await create(agent, body);
      expect([status, problem['errors']]).toEqual([422, [expect.objectContaining({ pointer: '/secret' })]]);
    }
  });
});

describe('the role of another customer', () => {
  it('cannot be used by whoever knows its name: each workspace says an external id of its own', async () => {
    const { externalId } = await trusted();
    const agent = await newAgent();
    const { id, config } = expectStatus(await create(agent, roleBody()), 201);
    expect((config as Body)['externalId']).not.toBe(externalId);
    const result = expectStatus(await agent.api.post(`${agent.path}/data-sources/${id as string}/test`), 200);
    expect(result).toMatchObject({ passed: false, errorCode: 'role_denied' });
    expect(await new Sink(agent, id as string, '').settledPush()).toMatchObject({ lastErrorCode: 'role_denied' });
    expect((await aws.state()).stored).toEqual([]);
  });
});

describe('a role that lets anybody in', () => {
  it('fails the Test and every delivery before anything is written, until it demands the external id', async () => {
    const { agent, sink, externalId } = await trusted();
    await aws.become({ roles: { [ROLE]: null } });
    const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: false, errorCode: 'role_without_external_id', failedStep: 'credentials' });
    expect(result['steps']).toMatchObject([
      { name: 'role', passed: true },
      { name: 'external id', passed: false },
    ]);
    expect(result['policy']).toContain(externalId);
    const delivery = await sink.settledPush();
    expect(delivery).toMatchObject({ status: 'FAILED', lastErrorCode: 'role_without_external_id' });
    expect((delivery['attempts'] as Body[])[0]).toMatchObject({
      ...{ status: 'BLOCKED', httpStatus: null, advice: expect.stringContaining('sts:ExternalId') },
      manifestJson: [{ status: 'not_written' }],
    });
    expect((await aws.state()).stored).toEqual([]);

    await aws.become({ roles: { [ROLE]: externalId } });
    expectStatus(await agent.api.post(`deliveries/${delivery['id'] as string}/redeliver`), 202);
    expect(await agent.customer.settled(delivery['id'] as string)).toMatchObject({ status: 'DELIVERED' });
  });
});

describe('the Test of a sink with a role', () => {
  it('asks with and without the external id each time, writes, checks the condition and tidies up', async () => {
    const { agent, sink } = await trusted();
    await sink.settledPush();
    const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: true, errorCode: null });
    const steps = result['steps'] as Body[];
    expect(steps.map(({ name }) => name)).toEqual([
      ...['role', 'external id', 'name', 'DNS', 'address', 'connection', 'TLS', 'keys', 'region', 'bucket', 'write'],
      ...['condition', 'clean-up'],
    ]);
    expect(steps.every(({ passed }) => passed === true)).toBe(true);
    const state = await aws.state();
    expect(results(state)).toEqual([...oneSession, ...oneSession]);
    expect(state.objects.filter(({ key }) => key.includes('_test-'))).toEqual([]);
  });

  it('fails where the role does not trust the platform yet, and prints the trust policy that it needs', async () => {
    const { agent, sink, externalId } = await trusted();
    await aws.become({ roles: {} });
    const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: false, status: 'HTTP_4XX', errorCode: 'role_denied' });
    expect(result['steps']).toEqual([{ name: 'role', passed: false, detail: 'AccessDenied' }]);
    expect(result['policy']).toContain(externalId);
    expect(result['sent']).toMatchObject({ method: 'POST', url: `${aws.url}/` });
    expect(await sink.settledPush()).toMatchObject({ status: 'FAILED', lastErrorCode: 'role_denied' });
  });
});

describe('what AWS’s service for sessions does', () => {
  it('costs no retry where it is away or refuses the platform: the delivery waits until it is well', async () => {
    const { agent, sink } = await trusted();
    await aws.become({ stsAnswers: { status: 503, body: '<html>Service Unavailable</html>' } });
    const { id } = await sink.deliveryOf(await agent.finishJob());
    const waits = await agent.customer.deliveryWhen(
      id as string,
      ({ lastErrorCode }) => lastErrorCode === 'role_service_unavailable',
      'an attempt has found the service away',
    );
    expect(waits).toMatchObject({ retriesSpent: 0, settledAt: null });
    await aws.become({ stsAnswers: null });
    await agent.customer.hurry(id as string);
    expect(await agent.customer.settled(id as string)).toMatchObject({ status: 'DELIVERED', retriesSpent: 0 });
  });
});

describe('the sessions of roles', () => {
  it('are neither in the database, nor in a log, nor in an answer', async () => {
    const { agent, sink } = await trusted();
    const delivery = await sink.settledPush();
    const tested = await agent.api.post(`${sink.path}/test`);
    await aws.endSessions();
    await sink.settledPush();
    await aws.become({ roles: { [ROLE]: null } });
    const failed = await agent.api.post(`${sink.path}/test`);
    const answers = [
      ...[tested, failed, await agent.api.get(sink.path), await agent.api.get(`${sink.path}/syncs`)],
      await agent.api.get(`deliveries/${delivery['id'] as string}`),
    ].map(({ text }) => text);
    const { sessions } = await aws.state();
    const secrets = sessions.flatMap(({ secretAccessKey, sessionToken }) => [secretAccessKey, sessionToken]);
    expect(secrets.length).toBeGreaterThan(8);
    const { secretAccessKey, sessionToken } = PLATFORM_KEYS;
    const places = {
      database: await everythingStored(),
      log: platform().logs.lines.join('\n'),
      answers: answers.join('\n'),
    };
    for (const [place, text] of Object.entries(places)) {
      const found = [...secrets, secretAccessKey, sessionToken].filter((secret) => text.includes(secret));
      expect([place, found]).toEqual([place, []]);
    }
  });
});
