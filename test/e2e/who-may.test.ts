import { describe, expect, it } from '@jest/globals';
import type { Answer, ApiClient } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink, sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

/** Ids of one workspace that a request may name. */
interface Named {
  readonly agentId: string;
  readonly sinkId: string;
  readonly deliveryId: string;
  readonly jobId: string;
}

interface Operation {
  readonly name: string;
  readonly method: string;
  /** What a token needs for it. */
  readonly scope: 'read' | 'write' | 'push';
  readonly path: (named: Named) => string;
  readonly body?: unknown;
}

const sinks = ({ agentId }: Named): string => `agents/${agentId}/data-sources`;
const sinkPath = (named: Named): string => `${sinks(named)}/${named.sinkId}`;
const deliveryPath = ({ deliveryId }: Named): string => `deliveries/${deliveryId}`;

/** Nothing is sent by it: it needs no plan. */
const CANCELLING: Operation = {
  ...{ name: 'cancelling a delivery', method: 'POST', scope: 'push' },
  path: (named) => `${deliveryPath(named)}/cancel`,
};

/** Every operation of ours. */
const OPERATIONS: readonly Operation[] = [
  { name: 'creating a sink', method: 'POST', scope: 'write', path: sinks, body: sinkBody('https://acme.com/') },
  { name: 'listing sinks', method: 'GET', scope: 'read', path: sinks },
  { name: 'reading a sink', method: 'GET', scope: 'read', path: sinkPath },
  { name: 'changing a sink', method: 'PATCH', scope: 'write', path: sinkPath, body: { name: 'Another name' } },
  {
    name: 'rotating a secret',
    method: 'POST',
    scope: 'write',
    path: (named) => `${sinkPath(named)}/secret`,
    body: {},
  },
  { name: 'testing a sink', method: 'POST', scope: 'push', path: (named) => `${sinkPath(named)}/test` },
  {
    name: 'pushing by hand',
    method: 'POST',
    scope: 'push',
    path: (named) => `${sinkPath(named)}/pushes`,
    body: { jobId: 'job_1' },
  },
  { name: 'listing deliveries', method: 'GET', scope: 'read', path: (named) => `${sinkPath(named)}/deliveries` },
  { name: 'listing attempts', method: 'GET', scope: 'read', path: (named) => `${sinkPath(named)}/syncs` },
  { name: 'listing the workspace’s deliveries', method: 'GET', scope: 'read', path: () => 'deliveries' },
  { name: 'reading a delivery', method: 'GET', scope: 'read', path: deliveryPath },
  { name: 'downloading a payload', method: 'GET', scope: 'read', path: (named) => `${deliveryPath(named)}/payload` },
  { name: 'redelivering', method: 'POST', scope: 'push', path: (named) => `${deliveryPath(named)}/redeliver` },
  { name: 'retrying now', method: 'POST', scope: 'push', path: (named) => `${deliveryPath(named)}/retry-now` },
  CANCELLING,
  { name: 'deleting a sink', method: 'DELETE', scope: 'write', path: sinkPath },
];

const NOBODYS: Named = {
  agentId: 'agt_00000000000000000000000000',
  sinkId: 'ads_00000000000000000000000000',
  deliveryId: 'dlv_00000000000000000000000000',
  jobId: 'job_00000000000000000000000000',
};

/** Those whose path names something. */
const OF_IDS = OPERATIONS.filter(({ path }) => path(NOBODYS).includes('_'));

function call(api: ApiClient, { method, path, body }: Operation, named: Named): Promise<Answer> {
  const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  return api.raw(method, path(named), body === undefined ? {} : json);
}

async function pushedSink(agent: Agent): Promise<{ sink: Sink; named: Named }> {
  const sink = await agent.sink(await platform().receiver.endpoint());
  const { id, jobId } = await sink.settledPush();
  return { sink, named: { agentId: agent.id, sinkId: sink.id, deliveryId: id, jobId } };
}

describe('another workspace’s ids', () => {
  it.each(OF_IDS)('get the answer of ids that do not exist: $name', async (operation) => {
    const { sink, named } = await pushedSink(await (await platform().customer()).agent());
    const stranger = await platform().customer();
    const before = expectStatus(await sink.api.get(sink.path), 200);
    const theirs = await call(stranger.api, operation, named);
    const nobodys = await call(stranger.api, operation, NOBODYS);
    expect(expectStatus(theirs, 404)).toMatchObject({ type: 'https://mapping.travel/errors/not-found' });
    expect({ ...theirs.body, requestId: null }).toEqual({ ...nobodys.body, requestId: null });
    expect(theirs.text.length).toBe(nobodys.text.length);
    expect(theirs.headers.get('content-type')).toBe(nobodys.headers.get('content-type'));
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
  });

  it('cannot be reached through one’s own agent', async () => {
    const { named } = await pushedSink(await (await platform().customer()).agent());
    const own = await (await platform().customer()).agent();
    for (const operation of OPERATIONS.filter(({ path }) => path(named).includes(named.sinkId))) {
      expectStatus(await call(own.api, operation, { ...named, agentId: own.id }), 404);
    }
  });

  it('cannot be used as cursors', async () => {
    const { named } = await pushedSink(await (await platform().customer()).agent());
    const agent = await (await platform().customer()).agent();
    const own = await pushedSink(agent);
    const cursor = Buffer.from(named.deliveryId).toString('base64url');
    for (const delivery of await own.sink.deliveries(`?cursor=${cursor}`))
      expect(delivery.dataSourceId).toBe(own.sink.id);
  });
});

describe('a token', () => {
  it.each(OPERATIONS)('that is missing, wrong or revoked opens nothing: $name', async (operation) => {
    const customer = await platform().customer();
    const revoked = await platform().token(customer.workspaceId);
    await platform().revoke(revoked);
    for (const token of [null, 'mt_wrong', 'not a token', revoked]) {
      const refused = await call(platform().client(token), operation, NOBODYS);
      expect(expectStatus(refused, 401)).toMatchObject({
        type: 'https://mapping.travel/errors/unauthenticated',
        status: 401,
      });
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
    }
  });

  it.each(OPERATIONS)('without the scope for it opens nothing: $name', async (operation) => {
    const { named, sink } = await pushedSink(await (await platform().customer()).agent());
    const others = (['read', 'write', 'push'] as const).filter((other) => other !== operation.scope);
    const scopes = others.map((other) => `data-sinks:${other}` as const);
    const token = await platform().token(sink.agent.customer.workspaceId, [...scopes, 'agents:write']);
    const refused = expectStatus(await call(platform().client(token), operation, named), 403);
    expect(refused).toMatchObject({ type: 'https://mapping.travel/errors/insufficient-scope' });
    expect(refused.detail).toContain(`data-sinks:${operation.scope}`);
  });

  it('with one scope allows what the scope covers', async () => {
    const { named, sink } = await pushedSink(await (await platform().customer()).agent());
    for (const operation of OPERATIONS) {
      const token = await platform().token(sink.agent.customer.workspaceId, [`data-sinks:${operation.scope}`]);
      const { status } = await call(platform().client(token), operation, named);
      expect([200, 201, 202, 204, 409, 422]).toContain(status);
    }
  });
});

describe('a workspace on a plan without data sinks', () => {
  it.each(['BASIC', 'PRO'] as const)('(%s) cannot configure or push, and keeps all it has', async (plan) => {
    const customer = await platform().customer();
    const { sink, named } = await pushedSink(await customer.agent());
    const before = expectStatus(await sink.api.get(sink.path), 200);
    await platform().changePlan(customer.workspaceId, plan);
    for (const operation of OPERATIONS.filter((one) => one.method !== 'DELETE' && one !== CANCELLING)) {
      const answer = await call(customer.api, operation, named);
      if (operation.scope === 'read') expectStatus(answer, 200);
      else expect(expectStatus(answer, 403).type).toBe('https://mapping.travel/errors/plan-required');
    }
    await platform().changePlan(customer.workspaceId, 'PRO_MAX');
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });

  it('is refused with the plan’s problem, and only for its own agents', async () => {
    const customer = await platform().customer('BASIC');
    const agent = await customer.agent();
    const answer = await customer.api.post(`${agent.path}/data-sources`, sinkBody('https://acme.com/'));
    expect(expectStatus(answer, 403)).toEqual({
      ...{ type: 'https://mapping.travel/errors/plan-required', status: 403 },
      ...{ title: expect.any(String), detail: expect.stringContaining('PRO_MAX, ENTERPRISE') },
      requestId: expect.any(String),
    });
    expectStatus(await customer.api.post(`agents/${NOBODYS.agentId}/data-sources`, sinkBody('https://acme.com/')), 404);
  });

  it('is not Enterprise', async () => {
    const sink = await (
      await (await platform().customer('ENTERPRISE')).agent()
    ).sink(await platform().receiver.endpoint());
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });
});

describe('a secret', () => {
  it('is in no response, no log line and no row of the database', async () => {
    const secrets = [
      'clear text of an hmac secret, 4711',
      'clear-text-of-a-bearer-token-4712',
      'user4713:clear text of a password',
    ];
    const schemes = ['HmacSha256', 'Bearer', 'Basic'];
    const agent = await (await platform().customer()).agent({ retry_failed_push: 1 });
    for (const [i, value] of secrets.entries()) {
      platform().keepSecret(value);
      const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status: 500 }, { kind: 'answer' }]);
      const sink = await agent.sink(endpoint, {
        config: { url: endpoint.url, authScheme: schemes[i] },
        secret: { value },
      });
      expectStatus(await sink.api.post(`${sink.path}/test`), 200);
      expectStatus(await sink.api.patch(sink.path, { secret: { value: `${value}.` } }), 200);
      const { id } = await sink.settledPush();
      expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
      await agent.customer.settled(id);
      // What is refused is not repeated either.
      await sink.api.patch(sink.path, { secret: { value, extra: value } });
      await sink.api.raw('PATCH', sink.path, {
        body: `{"secret":{"value":"${value}"`,
        headers: { 'Content-Type': 'application/json' },
      });
    }
    const tables = await platform().sql<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'agent_data_source%'`,
    );
    for (const value of secrets) {
      expect(platform().logs.lines.filter((line) => line.includes(value))).toEqual([]);
      for (const { name } of tables) {
        const found = await platform().sql(`SELECT 1 FROM ${name} AS r WHERE r::text LIKE '%' || $1 || '%'`, [value]);
        const asBytes = await platform().sql(`SELECT 1 FROM ${name} AS r WHERE r::text LIKE '%' || $1 || '%'`, [
          Buffer.from(value).toString('hex'),
        ]);
        expect({ table: name, found, asBytes }).toEqual({ table: name, found: [], asBytes: [] });
      }
    }
  });
});
