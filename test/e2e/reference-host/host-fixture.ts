import { expect } from '@jest/globals';
import { migratedDataDirectory } from '../../support/pglite-template.js';
import { type DataSinksOptions, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { Agents } from '../../../src/reference-host/agents/agents.js';
import { parseEnvironment } from '../../../src/reference-host/environment.js';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { type StartedHost, startHost } from '../../../src/reference-host/start-host.js';
import { ApiTokens, type TokenScope } from '../../../src/reference-host/workspaces/api-tokens.js';
import { type Plan, Workspaces } from '../../../src/reference-host/workspaces/workspaces.js';

export interface Tenant {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the host answered; the test says what it expects
  readonly body: any;
}

/** A migrated data directory of its own. */
export function newDataDirectory(): Promise<string> {
  return migratedDataDirectory([...dataSinksMigrations, ...hostMigrations]);
}

/** The host in this process, on PGlite, at a free port. */
export async function startTestHost(dataDir?: string, options?: DataSinksOptions): Promise<StartedHost> {
  const environment = parseEnvironment({
    PORT: '0',
    LOG_LEVEL: 'error',
    DATA_DIR: dataDir ?? (await newDataDirectory()),
    ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8',
  });
  return startHost(environment, options);
}

export async function newTenant(
  { app }: StartedHost,
  plan: Plan = 'PRO_MAX',
  scopes?: readonly TokenScope[],
): Promise<Tenant> {
  const workspaceId = await app.get(Workspaces).create('Test', plan);
  const { id: agentId } = await app.get(Agents).create(workspaceId, 'Test agent');
  return { workspaceId, agentId, token: await app.get(ApiTokens).issue(workspaceId, scopes) };
}

/** A request with a token. An object is sent as JSON, a string as `curl -d` does. */
export async function send(
  { url }: StartedHost,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const asCurl = typeof body === 'string';
  const contentType = asCurl ? 'application/x-www-form-urlencoded' : 'application/json';
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: asCurl ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}

/** What a refusal looks like. */
export function problem(status: number, code: string, pointers?: readonly string[]): object {
  const errors = pointers?.map((pointer) => ({ pointer, detail: expect.any(String) }));
  return {
    status,
    contentType: expect.stringMatching(/^application\/problem\+json/),
    body: {
      type: `https://mapping.travel/errors/${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      ...(errors ? { errors } : {}),
    },
  };
}
