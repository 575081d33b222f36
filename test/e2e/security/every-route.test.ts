import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Logger } from 'typeorm';
import { createApiDocument } from '../../../src/reference-host/api-document.js';
import { ALL_SCOPES, type TokenScope } from '../../../src/reference-host/workspaces/api-tokens.js';
import type { Answer, ApiClient } from '../../support/platform/api-client.js';
import { type Customer, sinkBody } from '../../support/platform/customer.js';
import type { Endpoint } from '../../support/platform/receiver-process.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';

// No look in the background may be taken for a side effect; pushes wake the worker by themselves.
const platform = suitePlatform({ options: { pollMs: 600_000, sweepMs: 600_000, requestsPerMinute: 100_000 } });

/** What each operation needs. An operation that is not in here, or here and nowhere else, fails the first test. */
const NEEDS: Readonly<Record<string, TokenScope>> = {
  'POST /api/v1/agents': 'agents:write',
  'GET /api/v1/agents': 'agents:read',
  'GET /api/v1/agents/{agentId}': 'agents:read',
  'POST /api/v1/agents/{agentId}/activate': 'agents:write',
  'POST /api/v1/agents/{agentId}/pause': 'agents:write',
  'POST /api/v1/agents/{agentId}/rule-sets': 'agents:write',
  'GET /api/v1/agents/{agentId}/rule-sets/current': 'agents:read',
  'POST /api/v1/agents/{agentId}/mapping-jobs': 'mapping-jobs:write',
  'GET /api/v1/agents/{agentId}/mapping-jobs/{jobId}': 'agents:read',
  'POST /api/v1/agents/{agentId}/data-sources': 'data-sinks:write',
  'GET /api/v1/agents/{agentId}/data-sources': 'data-sinks:read',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}': 'data-sinks:read',
  'PATCH /api/v1/agents/{agentId}/data-sources/{sinkId}': 'data-sinks:write',
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/secret': 'data-sinks:write',
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/test': 'data-sinks:push',
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/pushes': 'data-sinks:push',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/deliveries': 'data-sinks:read',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/syncs': 'data-sinks:read',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/health': 'data-sinks:read',
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/recover': 'data-sinks:push',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/recoveries/preview': 'data-sinks:read',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/recoveries': 'data-sinks:read',
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/recoveries/{recoveryId}': 'data-sinks:read',
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/recoveries/{recoveryId}/cancel': 'data-sinks:push',
  'GET /api/v1/deliveries': 'data-sinks:read',
  'GET /api/v1/deliveries/{deliveryId}': 'data-sinks:read',
  'GET /api/v1/deliveries/{deliveryId}/payload': 'data-sinks:read',
  'POST /api/v1/deliveries/{deliveryId}/redeliver': 'data-sinks:push',
  'POST /api/v1/deliveries/{deliveryId}/retry-now': 'data-sinks:push',
  'POST /api/v1/deliveries/{deliveryId}/cancel': 'data-sinks:push',
  'DELETE /api/v1/agents/{agentId}/data-sources/{sinkId}': 'data-sinks:write',
};
/** Asked by load balancers, which have no token. */
const OPEN_TO_ALL = ['GET /healthz'];

const JUST_NOW = new Date().toISOString();

const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/v1/agents': { name: 'Hotel matcher' },
  'POST /api/v1/agents/{agentId}/rule-sets': { data_sinks: { auto_push_on_job_complete: false } },
  'POST /api/v1/agents/{agentId}/mapping-jobs': { results: [] },
  'POST /api/v1/agents/{agentId}/data-sources': sinkBody('https://acme.com/'),
  'PATCH /api/v1/agents/{agentId}/data-sources/{sinkId}': { name: 'Another name' },
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/secret': { overlapSeconds: 60 },
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/pushes': { jobId: 'job_1' },
  'POST /api/v1/agents/{agentId}/data-sources/{sinkId}/recover': { since: JUST_NOW },
};

/** What an operation cannot do without in its query. */
const QUERIES: Readonly<Record<string, string>> = {
  'GET /api/v1/agents/{agentId}/data-sources/{sinkId}/recoveries/preview': `?since=${JUST_NOW}`,
};

type Ids = Readonly<Record<'agentId' | 'sinkId' | 'deliveryId' | 'recoveryId' | 'jobId', string>>;

const NOBODYS: Ids = {
  agentId: 'agt_00000000000000000000000000',
  sinkId: 'ads_00000000000000000000000000',
  deliveryId: 'dlv_00000000000000000000000000',
  recoveryId: 'rcv_00000000000000000000000000',
  jobId: 'job_00000000000000000000000000',
};

const OPERATIONS = Object.keys(NEEDS);
const NAMING = OPERATIONS.filter((operation) => operation.includes('{'));

function operationsOf(document: { readonly paths: object }): string[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

function call(
  api: ApiClient,
  operation: string,
  ids: Ids,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const [method = '', template = ''] = operation.split(' ');
  const named = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (name in ids) return ids[name as keyof Ids];
    throw new Error(`${operation} has a parameter that this test does not know: ${name}`);
  });
  const path = `${named}${QUERIES[operation] ?? ''}`;
  const body = BODIES[operation];
  if (body === undefined) return api.raw(method, path, { headers });
  return api.raw(method, path, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** All that an answer tells, but the time, its own id and the id that was asked for. */
function told({ status, headers, text }: Answer, ids: Ids): unknown {
  const own = headers.get('x-request-id') ?? 'none';
  const named = Object.entries({ ...ids, requestId: own });
  const normalised = named.reduce((all, [name, id]) => all.replaceAll(id, `{${name}}`), text);
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id');
  return { status, headers: kept, text: normalised };
}

/** A worker reports itself here every few seconds, whoever asks for what. */
const HEARTBEATS = 'agent_data_source_worker';

/** Every row of every table but the heartbeats'. */
async function everything(): Promise<unknown> {
  const tables = await platform().sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        AND relname <> '${HEARTBEATS}' ORDER BY 1`,
  );
  const found: Record<string, unknown> = {};
  for (const { name } of tables) {
    const [rows] = await platform().sql(
      `SELECT count(*)::int AS count, md5(string_agg(t::text, '|' ORDER BY t::text)) AS content FROM "${name}" t`,
    );
    found[name] = rows;
  }
  return found;
}

/** The statements that a request makes: as many and the same ones take as long. */
async function statementsOf(request: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const { database } = platform();
  const { logger } = database;
  const quiet = (): void => undefined;
  const recording: Logger = {
    logQuery: (query) => void statements.push(query),
    ...{ logQueryError: quiet, logQuerySlow: quiet, logSchemaBuild: quiet, logMigration: quiet, log: quiet },
  };
  database.logger = recording;
  try {
    await request();
  } finally {
    database.logger = logger;
  }
  return statements;
}

let owner: Customer;
let stranger: Customer;
let ids: Ids;
let endpoint: Endpoint;

beforeAll(async () => {
  [owner, stranger] = [await platform().customer(), await platform().customer()];
  const agent = await owner.agent();
  endpoint = await platform().receiver.endpoint();
  const sink = await agent.sink(endpoint);
  const { id, jobId } = await sink.settledPush();
  const recovery = await owner.api.post(`${sink.path}/recover`, { since: JUST_NOW });
  ids = { agentId: agent.id, sinkId: sink.id, deliveryId: id, recoveryId: recovery.body.id, jobId };
  await platform().audited();
});

/** Nothing may have changed or been sent once the work is done. */
async function withoutSideEffect(work: () => Promise<void>): Promise<void> {
  const [before, sent] = [await everything(), endpoint.requests.length];
  await work();
  expect(await everything()).toEqual(before);
  expect(endpoint.requests).toHaveLength(sent);
}

describe('the operations of the API', () => {
  it('are those that this test knows, in the running host and in docs/openapi.json', () => {
    const known = [...OPERATIONS, ...OPEN_TO_ALL].sort();
    expect(operationsOf(createApiDocument(platform().app)).sort()).toEqual(known);
    const file = new URL('../../../docs/openapi.json', import.meta.url);
    expect(operationsOf(JSON.parse(readFileSync(file, 'utf8')) as { paths: object }).sort()).toEqual(known);
  });
});

describe('without a valid token', () => {
  it.each(OPERATIONS)('%s answers 401, for things that exist and things that do not alike', async (operation) => {
    const revoked = await platform().token(owner.workspaceId);
    await platform().revoke(revoked);
    const [method = ''] = operation.split(' ');
    await withoutSideEffect(async () => {
      for (const token of [null, 'mt_wrong', `${revoked}x`, 'a b', '', revoked]) {
        const theirs = await call(platform().client(token), operation, ids);
        expect(theirs).toMatchObject({ status: 401, body: { type: 'https://mapping.travel/errors/unauthenticated' } });
        expect(told(await call(platform().client(token), operation, NOBODYS), NOBODYS)).toEqual(told(theirs, ids));
      }
      const basic = { Authorization: `Basic ${Buffer.from(`token:${revoked}`).toString('base64')}` };
      expect((await call(platform().client(null), operation, ids, basic)).status).toBe(401);
      if (method === 'GET')
        expect((await call(platform().client(null), operation.replace('GET', 'HEAD'), ids)).status).toBe(401);
    });
  });
});

describe('with a token that lacks the scope', () => {
  it.each(OPERATIONS)('%s answers 403, for things that exist and things that do not alike', async (operation) => {
    const needed = NEEDS[operation];
    const others = ALL_SCOPES.filter((scope) => scope !== needed);
    const readOnly: readonly TokenScope[] = ['agents:read', 'data-sinks:read'];
    const sets: readonly (readonly TokenScope[])[] = [
      [],
      others,
      readOnly.filter((scope) => scope !== needed),
      ...others.map((scope) => [scope]),
    ];
    const tokens: string[] = [];
    for (const scopes of sets) tokens.push(await platform().token(owner.workspaceId, scopes));
    await withoutSideEffect(async () => {
      for (const token of tokens) {
        const theirs = await call(platform().client(token), operation, ids);
        expect(theirs).toMatchObject({
          status: 403,
          body: { type: 'https://mapping.travel/errors/insufficient-scope' },
        });
        expect(told(await call(platform().client(token), operation, NOBODYS), NOBODYS)).toEqual(told(theirs, ids));
      }
    });
  });
});

describe('with another workspace’s token', () => {
  it.each(NAMING)('%s answers 404, and nothing tells "not yours" from "not there"', async (operation) => {
    const own = await stranger.agent();
    const through: Ids = { ...ids, agentId: own.id };
    const absent: Ids = { ...NOBODYS, agentId: own.id };
    await withoutSideEffect(async () => {
      const nobodys = told(await call(stranger.api, operation, NOBODYS), NOBODYS);
      expect(nobodys).toMatchObject({ status: 404, text: expect.stringContaining('errors/not-found') });
      expect(told(await call(stranger.api, operation, ids), ids)).toEqual(nobodys);
      const [theirs, none] = [
        await statementsOf(() => call(stranger.api, operation, ids)),
        await statementsOf(() => call(stranger.api, operation, NOBODYS)),
      ];
      expect(theirs).toEqual(none);
      if (!operation.includes('{agentId}/')) return;
      if (!/\{(sinkId|jobId|deliveryId|recoveryId)\}/.test(operation)) return;
      // Through an agent of one's own.
      expect(told(await call(stranger.api, operation, through), through)).toEqual(
        told(await call(stranger.api, operation, absent), absent),
      );
      expect((await call(stranger.api, operation, through)).status).toBe(404);
    });
  });

  it('lists do not contain its data', async () => {
    const newcomer = await platform().customer();
    for (const operation of ['GET /api/v1/agents', 'GET /api/v1/deliveries']) {
      expect((await call(newcomer.api, operation, ids)).body.items).toEqual([]);
    }
  });
});

describe('malformed ids', () => {
  const ODD = [
    'x',
    'agt_',
    '%00',
    'agt_%00',
    'agt_%F0%9F%98%80',
    "'%20OR%201=1--",
    'agt_0000000000000000000000000%0a',
    'a'.repeat(2_000),
    '%2e%2e%2f',
  ] as const;

  it.each(NAMING)('%s answers 404 or 400 to them, and never 500', async (operation) => {
    await withoutSideEffect(async () => {
      for (const odd of ODD) {
        const named: Ids = { agentId: odd, sinkId: odd, deliveryId: odd, recoveryId: odd, jobId: odd };
        const { status } = await call(owner.api, operation, named);
        expect([odd, status]).toEqual([odd, status === 400 ? 400 : 404]);
        if (!/\{agentId\}.*\{/.test(operation)) continue;
        const deeper = await call(owner.api, operation, { ...named, agentId: ids.agentId });
        expect([odd, deeper.status]).toEqual([odd, deeper.status === 400 ? 400 : 404]);
      }
    });
  });
});

describe('with only the required scope', () => {
  it.each(OPERATIONS)('%s is open', async (operation) => {
    const token = await platform().token(owner.workspaceId, [NEEDS[operation] ?? 'agents:read']);
    const { status } = await call(platform().client(token), operation, ids);
    expect([200, 201, 202, 204, 409, 422]).toContain(status);
  });
});
