import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StartedHost } from '../../../src/reference-host/start-host.js';
import { ApiTokens } from '../../../src/reference-host/workspaces/api-tokens.js';
import { newTenant, problem, send, startTestHost, type Tenant } from './host-fixture.js';

const AGENTS = '/api/v1/agents';

describe('agents and their rules', () => {
  let host: StartedHost;
  let tenant: Tenant;
  let other: Tenant;

  beforeAll(async () => {
    host = await startTestHost();
    tenant = await newTenant(host);
    other = await newTenant(host);
  });
  afterAll(() => host.app.close());

  const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    send(host, tenant.token, method, path, body, headers);

  it('an agent is created as a draft, activated, paused and activated again', async () => {
    const { status, body } = await call('POST', AGENTS, { name: 'Hotel matcher' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^agt_[0-9A-Z]{26}$/),
      workspaceId: tenant.workspaceId,
      name: 'Hotel matcher',
      status: 'DRAFT',
      createdAt: expect.any(String),
    });
    for (const [action, expected] of [
      ['activate', 'ACTIVE'],
      ['activate', 'ACTIVE'],
      ['pause', 'PAUSED'],
      ['activate', 'ACTIVE'],
    ]) {
      expect(await call('POST', `${AGENTS}/${body.id}/${action}`)).toMatchObject({
        status: 200,
        body: { status: expected },
      });
    }
    expect(await call('GET', `${AGENTS}/${body.id}`)).toMatchObject({
      status: 200,
      body: { name: 'Hotel matcher', status: 'ACTIVE' },
    });
  });

  it('agents are listed in pages, oldest first', async () => {
    const fresh = await newTenant(host);
    for (const name of ['b', 'c']) await send(host, fresh.token, 'POST', AGENTS, { name });
    const first = await send(host, fresh.token, 'GET', `${AGENTS}?limit=2`);
    const second = await send(host, fresh.token, 'GET', `${AGENTS}?limit=2&cursor=${first.body.nextCursor}`);
    const names = [...first.body.items, ...second.body.items].map((agent: { name: string }) => agent.name);
    expect(names).toEqual(['Test agent', 'b', 'c']);
    expect(second.body.nextCursor).toBeNull();
  });

  it('rules are versioned, and the newest is in force', async () => {
    const path = `${AGENTS}/${tenant.agentId}/rule-sets`;
    expect(await call('GET', `${path}/current`)).toEqual(problem(404, 'not-found'));
    const rules = { matching: { level: 3 }, data_sinks: { retry_failed_push: 0 } };
    expect(await call('POST', path, rules)).toMatchObject({ status: 201, body: { version: 1, rules } });
    expect(await call('POST', path, {})).toMatchObject({ status: 201, body: { version: 2, rules: {} } });
    expect(await call('GET', `${path}/current`)).toMatchObject({ status: 200, body: { version: 2, rules: {} } });
  });

  it('two concurrent writers of rules get one version each', async () => {
    const { agentId, token } = await newTenant(host);
    const written = await Promise.all(
      [1, 2, 3].map(() => send(host, token, 'POST', `${AGENTS}/${agentId}/rule-sets`, {})),
    );
    expect(written.map(({ body }) => body.version).sort()).toEqual([1, 2, 3]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['a count in quotes', { data_sinks: { retry_failed_push: '2' } }, ['/data_sinks/retry_failed_push']],
    ['eleven retries', { data_sinks: { retry_failed_push: 11 } }, ['/data_sinks/retry_failed_push']],
    [
      'a misspelt key',
      { data_sinks: { auto_push_on_job_completed: true } },
      ['/data_sinks/auto_push_on_job_completed'],
    ],
    ['a section that is no object', { data_sinks: true }, ['/data_sinks']],
    ['a list for rules', [], ['']],
  ])('rules with %s are refused, with a pointer', async (_, rules, pointers) => {
    expect(await call('POST', `${AGENTS}/${tenant.agentId}/rule-sets`, rules)).toEqual(
      problem(422, 'validation-failed', pointers),
    );
  });

  it.each<[string, unknown, Record<string, string>, object]>([
    ['a number for a name', { name: 3 }, {}, problem(422, 'validation-failed', ['/name'])],
    ['no name', {}, {}, problem(422, 'validation-failed', ['/name'])],
    ['NUL in a name', { name: 'a\0b' }, {}, problem(422, 'validation-failed', ['/name'])],
    ['an unknown field', { name: 'a', plan: 'PRO' }, {}, problem(422, 'validation-failed', ['/plan'])],
    ['half a JSON', '{"name":', {}, problem(400, 'malformed-json')],
    ['plain text', 'name', { 'content-type': 'text/plain' }, problem(415, 'unsupported-media-type')],
    ['two megabytes', { name: 'x'.repeat(2_000_000) }, {}, problem(413, 'body-too-large')],
  ])('an agent with %s is refused', async (_, body, headers, refusal) => {
    expect(await call('POST', AGENTS, body, headers)).toEqual(refusal);
  });

  it.each([
    ['a limit of 0', '?limit=0', problem(422, 'validation-failed', ['?limit'])],
    ['an unknown parameter', '?order=asc', problem(422, 'validation-failed', ['?order'])],
    ['a cursor of someone’s own making', '?cursor=abc', problem(400, 'invalid-cursor')],
  ])('a list with %s is refused', async (_, query, refusal) => {
    expect(await call('GET', `${AGENTS}${query}`)).toEqual(refusal);
  });

  it('a body from curl -d is read as JSON, whatever its content type', async () => {
    expect(await call('POST', AGENTS, '{ "name": "from curl" }')).toMatchObject({
      status: 201,
      body: { name: 'from curl' },
    });
  });

  it('another workspace’s agent and a missing one get the same response', async () => {
    const none = 'agt_01J8XK3V9QZ4M7T2B5N6C8D0EF';
    for (const [method, rest] of [
      ['GET', ''],
      ['POST', '/activate'],
      ['POST', '/pause'],
      ['GET', '/rule-sets/current'],
    ] as const) {
      const theirs = await call(method, `${AGENTS}/${other.agentId}${rest}`);
      expect(theirs).toEqual(problem(404, 'not-found'));
      expect(await call(method, `${AGENTS}/${none}${rest}`)).toEqual(theirs);
    }
  });

  it('without a valid token everything is refused', async () => {
    const revoked = await host.app.get(ApiTokens).issue(tenant.workspaceId);
    await host.app.get(ApiTokens).revoke(revoked);
    for (const token of [null, 'mt_nonsense', revoked, tenant.token.slice(0, -1)]) {
      expect(await send(host, token, 'GET', AGENTS)).toEqual(problem(401, 'unauthenticated'));
    }
  });

  it('a token allows what its scopes allow, and no more', async () => {
    const { token } = await newTenant(host, 'PRO_MAX', ['agents:read']);
    expect(await send(host, token, 'GET', AGENTS)).toMatchObject({ status: 200 });
    expect(await send(host, token, 'POST', AGENTS, { name: 'x' })).toEqual(problem(403, 'insufficient-scope'));
  });

  it('a path that does not exist is a problem too', async () => {
    expect(await call('GET', '/api/v1/nothing')).toEqual(problem(404, 'not-found'));
  });

  it('the health check needs no token; the documents are served', async () => {
    expect(await send(host, null, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await send(host, null, 'GET', '/api/openapi.json')).body.openapi).toMatch(/^3\./);
    expect((await fetch(`${host.url}/api/docs`)).status).toBe(200);
  });
});
