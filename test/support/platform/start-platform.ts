import { type INestApplication, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { HostParts } from '../../../src/reference-host/host.module.js';
import type { DataSinksOptions } from '../../../src/data-sinks/index.js';
import { startHost } from '../../../src/reference-host/start-host.js';
import { ApiTokens, type TokenScope } from '../../../src/reference-host/workspaces/api-tokens.js';
import { type Plan, Workspaces } from '../../../src/reference-host/workspaces/workspaces.js';
import { ApiClient, type Hush } from './api-client.js';
import { CollectingLogger } from './collecting-logger.js';
import { Customer } from './customer.js';
import { modeOfRun, platformDatabase, type PlatformMode } from './platform-database.js';
import { Receiver } from './receiver-process.js';
import { until } from './until.js';

/** Short enough to keep tests fast, long enough for a busy machine. */
const SHORT_WAITS: DataSinksOptions = {
  retryWaitsMs: [20],
  pauseMs: 200,
  longestPauseMs: 400,
  pollMs: 100,
  sweepMs: 250,
  shutdownGraceMs: 2_000,
  // Polling for a state needs many requests.
  requestsPerMinute: 100_000,
  // Endpoints of tests hang, and a Test's limit is for Tests: `test/e2e/ping.test.ts` switches it on.
  pingOnSave: false,
  // Names in these tests may exist on the internet; no test queries a real DNS server.
  resolver: async () => [{ address: '93.184.216.34', family: 4 }],
  deadlines: { responseHeadersMs: 20_000, uploadIdleMs: 10_000, responseBodyMs: 5_000 },
};

export interface PlatformRequest {
  /** @default the mode in TEST_MODE */
  readonly mode?: PlatformMode;
  /** Options of the module, overriding the tests' short waits. */
  readonly options?: DataSinksOptions;
  /** Types of sinks beside webhooks. @default the host's own */
  readonly destinations?: HostParts['destinations'];
}

/** A running reference host with its own database, and a receiver in a child process. */
export class Platform {
  readonly #hush: Hush = { secrets: new Set() };

  constructor(
    readonly app: INestApplication,
    readonly origin: string,
    readonly receiver: Receiver,
    readonly logs: CollectingLogger,
    private readonly remove: () => Promise<void>,
  ) {}

  /** From now on, an API response that contains this text fails the test. */
  keepSecret(secret: string): void {
    this.#hush.secrets.add(secret);
  }

  /** A workspace with a token that has every scope. */
  async customer(plan: Plan = 'PRO_MAX'): Promise<Customer> {
    const workspaceId = await this.app.get(Workspaces).create('A customer', plan);
    return new Customer(this, workspaceId, this.client(await this.token(workspaceId)));
  }

  token(workspaceId: string, scopes?: readonly TokenScope[]): Promise<string> {
    return this.app.get(ApiTokens).issue(workspaceId, scopes);
  }

  revoke(token: string): Promise<void> {
    return this.app.get(ApiTokens).revoke(token);
  }

  changePlan(workspaceId: string, plan: Plan): Promise<void> {
    return this.app.get(Workspaces).changePlan(workspaceId, plan);
  }

  /** @param token null calls without one */
  client(token: string | null): ApiClient {
    return new ApiClient(this.origin, token, this.#hush);
  }

  get database(): DataSource {
    return this.app.get(DataSource);
  }

  /** Direct access to the database, for what no endpoint shows, or only a crash causes. */
  async sql<T = Readonly<Record<string, unknown>>>(text: string, parameters: readonly unknown[] = []): Promise<T[]> {
    const result: unknown = await this.database.query(text, [...parameters]);
    const [first] = result as readonly unknown[];
    return (Array.isArray(first) ? first : result) as T[];
  }

  /** Waits until every delivery that has ended is in the audit trail: its entry comes out of an outbox. */
  async audited(): Promise<void> {
    const waiting = (): Promise<unknown[]> => this.sql('SELECT 1 FROM agent_data_source_audit_outbox');
    await until(async () => (await waiting()).length === 0, 'the audit outbox is empty');
  }

  async stop(): Promise<void> {
    await this.app.close();
    await Promise.all([this.receiver.stop(), this.remove()]);
  }
}

/** One for all tests of a file: start it in `beforeAll`, stop it in `afterAll`. */
export async function startPlatform(request: PlatformRequest = {}): Promise<Platform> {
  const { mode = modeOfRun(), options, destinations } = request;
  const { remove, ...database } = await platformDatabase(mode);
  const receiver = await Receiver.start();
  const { app, url } = await startHost(
    {
      port: 0,
      bind: null,
      metricsPort: null,
      ...database,
      preparedStatements: true,
      allowPrivateEndpoints: ['127.0.0.0/8'],
      logLevel: 'error',
    },
    { ...SHORT_WAITS, ...options },
    { ...(destinations && { destinations }) },
  );
  // The host has set a logger of its own by now.
  const logs = new CollectingLogger();
  Logger.overrideLogger(logs);
  return new Platform(app, url, receiver, logs, remove);
}
