import { describe, expect, it } from '@jest/globals';
import { type Agent, expectStatus, type Sink, sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform({ options: { sinksPerAgent: 4, sinksPerWorkspace: 6 } });

const SECRET = 'a secret of 32 bytes for changes';

async function agentOfNewCustomer(): Promise<Agent> {
  return (await platform().customer()).agent();
}

async function newSink(config: Readonly<Record<string, unknown>> = {}): Promise<Sink> {
  const url = 'https://internal.acme.com/mapping-results';
  const secret = { value: config['authScheme'] === 'Basic' && !config['username'] ? 'user:password' : SECRET };
  return (await agentOfNewCustomer()).sink(url, { config: { url, authScheme: 'HmacSha256', ...config }, secret });
}

describe('changing a sink', () => {
  it('updates the given fields only', async () => {
    const customHeaders = [{ name: 'X-Environment', value: 'production' }];
    const sink = await newSink({ customHeaders, retryableStatuses: [429] });
    const before = expectStatus(await sink.api.get(sink.path), 200);
    const named = expectStatus(await sink.api.patch(sink.path, { name: 'Another name' }), 200);
    expect(named).toEqual({
      ...before,
      name: 'Another name',
      configVersion: 2,
      updatedAt: expect.any(String),
      warnings: [],
    });
    const changed = expectStatus(await sink.api.patch(sink.path, { config: { retryableStatuses: [] } }), 200);
    expect(changed.config).toEqual({ ...before.config, retryableStatuses: [] });
    expect(changed).toMatchObject({ name: 'Another name', configVersion: 3, secret: before.secret });
    const { warnings: _, ...read } = changed;
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(read);
  });

  it('may change the path on the same host without the secret', async () => {
    const sink = await newSink();
    const { config } = expectStatus(
      await sink.api.patch(sink.path, { config: { url: 'https://INTERNAL.acme.com:443/v2?a=1' } }),
      200,
    );
    expect(config.url).toBe('https://internal.acme.com/v2?a=1');
  });

  it.each([
    ['another host', { config: { url: 'https://elsewhere.acme.com/mapping-results' } }],
    ['a subdomain', { config: { url: 'https://x.internal.acme.com/mapping-results' } }],
    ['a server of our own network', { config: { url: 'http://127.0.0.1:9999/' } }],
    ['another host, with a secret of null', { config: { url: 'https://elsewhere.acme.com/' }, secret: null }],
    ['the scheme that shows the secret', { config: { authScheme: 'Bearer' } }],
    ['the scheme and a user', { config: { authScheme: 'Basic', username: 'somebody' } }],
  ])(
    'needs the secret again for %s: a lesser admin must not send it to a server of their own',
    async (_name, patch) => {
      const sink = await newSink();
      const before = expectStatus(await sink.api.get(sink.path), 200);
      const refused = await sink.api.patch(sink.path, patch);
      expect(refused.status).toBe(422);
      expect(refused.body.type).toMatch(/\/(secret-required|validation-failed)$/);
      expect(refused.body.errors[0].pointer).toMatch(/^\/secret/);
      expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
    },
  );

  it('requires the secret for another host, and then pushes go there', async () => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], SECRET);
    const sink = await newSink();
    const patch = { config: { url: endpoint.url }, secret: { value: SECRET } };
    expectStatus(await sink.api.patch(sink.path, patch), 200);
    await sink.settledPush();
    expect(await endpoint.first()).toMatchObject({ signatureIsValid: true });
  });

  it('changes the scheme together with its secret, and removes the username', async () => {
    const endpoint = await platform().receiver.endpoint();
    const sink = await (
      await agentOfNewCustomer()
    ).sink(endpoint, {
      config: { url: endpoint.url, authScheme: 'Basic', username: 'mapping' },
      secret: { value: 'the password' },
    });
    const patch = { config: { authScheme: 'Bearer' }, secret: { value: 'a-new-bearer-token' } };
    expect(expectStatus(await sink.api.patch(sink.path, patch), 200)).toMatchObject({
      config: { authScheme: 'Bearer', username: null },
      secret: { hint: '****oken' },
    });
    await sink.settledPush();
    expect((await endpoint.first()).headers['authorization']).toBe('Bearer a-new-bearer-token');
  });

  it('replaces the secret alone, from the next attempt on', async () => {
    const value = 'the next secret, 32 bytes or more';
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], value);
    const sink = await (await agentOfNewCustomer()).sink(endpoint);
    await sink.settledPush();
    expectStatus(await sink.api.patch(sink.path, { secret: { value } }), 200);
    await sink.settledPush();
    expect((await endpoint.received(2)).map(({ signatureIsValid }) => signatureIsValid)).toEqual([false, true]);
  });

  it('is audited with old and new values, without the secret', async () => {
    const sink = await newSink();
    expectStatus(
      await sink.api.patch(sink.path, { name: 'New', secret: { value: 'replaced, and 32 bytes long too' } }),
      200,
    );
    const [line] = await platform().sql(
      `SELECT actor_type, ip, details FROM agent_data_source_audit WHERE data_source_id = $1 AND action = 'DATA_SINK_CHANGED'`,
      [sink.id],
    );
    expect(line).toMatchObject({
      actor_type: 'token',
      ip: expect.stringContaining('127.0.0.1'),
      details: { name: { from: 'Internal BI ingest', to: 'New' }, secret: 'replaced' },
    });
    expect(JSON.stringify(line)).not.toContain('replaced, and');
  });

  it('without a difference creates no version and no audit entry', async () => {
    const sink = await newSink();
    const before = expectStatus(await sink.api.get(sink.path), 200);
    for (const change of [{}, { name: before.name, format: before.format }, { config: { url: before.config.url } }])
      expect(expectStatus(await sink.api.patch(sink.path, change), 200)).toMatchObject(before);
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
    const changes = await platform().sql(
      `SELECT FROM agent_data_source_audit WHERE data_source_id = $1 AND action = 'DATA_SINK_CHANGED'`,
      [sink.id],
    );
    expect(changes).toEqual([]);
  });

  it('by two people at once refuses the second', async () => {
    const sink = await newSink();
    const names = ['One', 'Two', 'Three'];
    const answers = await Promise.all(names.map((name) => sink.api.patch(sink.path, { name })));
    const made = answers.filter(({ status }) => status === 200).length;
    for (const { status } of answers) expect([200, 503]).toContain(status);
    expect(made).toBeGreaterThanOrEqual(1);
    expect(expectStatus(await sink.api.get(sink.path), 200).configVersion).toBe(1 + made);
  });
});

describe('deleting a sink', () => {
  it('stops its pushes and keeps its history', async () => {
    const agent = await agentOfNewCustomer();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const { id } = await sink.settledPush();
    expectStatus(await sink.api.delete(sink.path), 204);

    expectStatus(await sink.api.get(sink.path), 404);
    expectStatus(await sink.api.delete(sink.path), 404);
    expectStatus(await sink.api.patch(sink.path, { name: 'Undead' }), 404);
    expectStatus(await sink.api.post(`${sink.path}/test`), 404);
    expectStatus(await sink.api.post(`${sink.path}/pushes`, { jobId: 'job_1' }), 404);
    expect(expectStatus(await sink.api.get(`${agent.path}/data-sources`), 200).items).toEqual([]);

    await agent.finishJob();
    expect(await agent.customer.delivery(id)).toMatchObject({
      status: 'DELIVERED',
      attempts: [{ status: 'SUCCEEDED', url: endpoint.url }],
    });
    const [kept] = await platform().sql(
      'SELECT count(*)::int AS attempts FROM agent_data_source_sync WHERE data_source_id = $1',
      [sink.id],
    );
    expect(kept).toEqual({ attempts: 1 });
    expect(endpoint.requests).toHaveLength(1);
  });

  it('destroys its secret', async () => {
    const sink = await newSink();
    const secrets = (): Promise<unknown[]> =>
      platform().sql('SELECT 1 FROM agent_data_source_secret WHERE workspace_id = $1', [
        sink.agent.customer.workspaceId,
      ]);
    expect(await secrets()).toHaveLength(1);
    expectStatus(await sink.api.patch(sink.path, { secret: { value: 'replaced, and 32 bytes long too' } }), 200);
    expect(await secrets()).toHaveLength(1);
    expectStatus(await sink.api.delete(sink.path), 204);
    expect(await secrets()).toEqual([]);
  });
});

describe('the list of sinks', () => {
  it('is paged by a cursor, newest first', async () => {
    const agent = await agentOfNewCustomer();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift((await agent.sink('https://acme.com/')).id);
    const first = expectStatus(await agent.api.get(`${agent.path}/data-sources?limit=2`), 200);
    expect(first.items.map(({ id }: Sink) => id)).toEqual(ids.slice(0, 2));
    const second = expectStatus(
      await agent.api.get(`${agent.path}/data-sources?limit=2&cursor=${first.nextCursor}`),
      200,
    );
    expect(second.items.map(({ id }: Sink) => id)).toEqual(ids.slice(2));
    expect(second.nextCursor).toBeNull();
    expect(first.items[0]).toEqual(expectStatus(await agent.api.get(`${agent.path}/data-sources/${ids[0]}`), 200));
  });

  it('contains no sink of another agent of the same workspace', async () => {
    const customer = await platform().customer();
    const [agent, other] = [await customer.agent(), await customer.agent()];
    const sink = await agent.sink('https://acme.com/');
    expect(expectStatus(await customer.api.get(`${other.path}/data-sources`), 200).items).toEqual([]);
    for (const path of ['', '/deliveries', '/syncs']) {
      expectStatus(await customer.api.get(`${other.path}/data-sources/${sink.id}${path}`), 404);
    }
  });
});

describe('the number of sinks', () => {
  it('is limited per agent and per workspace, and deleting a sink makes room', async () => {
    const customer = await platform().customer();
    const [agent, other] = [await customer.agent(), await customer.agent()];
    const sinks: Sink[] = [];
    for (let i = 0; i < 4; i++) sinks.push(await agent.sink('https://acme.com/'));
    const more = (where: Agent): ReturnType<Agent['api']['post']> =>
      where.api.post(`${where.path}/data-sources`, sinkBody('https://acme.com/'));
    expect(expectStatus(await more(agent), 409).type).toBe('https://mapping.travel/errors/sink-limit-reached');
    for (let i = 0; i < 2; i++) expectStatus(await more(other), 201);
    expect(expectStatus(await more(other), 409).detail).toContain('workspace');
    expectStatus(await agent.api.delete(sinks[0]?.path ?? ''), 204);
    expectStatus(await more(agent), 201);
  });
});
