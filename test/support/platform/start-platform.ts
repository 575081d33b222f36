import { type INestApplication, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DataSinksOptions } from '../../../src/data-sinks/index.js';
import { startHost } from '../../../src/reference-host/start-host.js';
import { ApiTokens, type TokenScope } from '../../../src/reference-host/workspaces/api-tokens.js';
import { type Plan, Workspaces } from '../../../src/reference-host/workspaces/workspaces.js';
import { ApiClient, type Hush } from './api-client.js';
import { CollectingLogger } from './collecting-logger.js';
import { Customer } from './customer.js';
import { modeOfRun, platformDatabase, type PlatformMode } from './platform-database.js';
import { Receiver } from './receiver-process.js';

/** Short enough that no test is felt to wait, long enough that a busy machine does not make them fail. */
const SHORT_WAITS: DataSinksOptions = {
  retryWaitsMs: [20],
  pauseMs: 200,
  longestPauseMs: 400,
  pollMs: 100,
  sweepMs: 250,
  shutdownGraceMs: 2_000,
  // Waiting for a state asks for it again and again.
  requestsPerMinute: 100_000,
  // Names of these tests are somewhere on the internet; none of them asks a real name server.
  resolver: async () => [{ address: '93.184.216.34', family: 4 }],
  deadlines: { responseHeadersMs: 20_000, uploadIdleMs: 10_000, responseBodyMs: 5_000 },
};

export interface PlatformRequest {
  /** @default what the run asks for with TEST_MODE */
  readonly mode?: PlatformMode;
  /** Settings of the module, over the short waits of tests. */
  readonly options?: DataSinksOptions;
}

/** A running reference host with a database of its own, and a receiver in a child process. */
export class Platform {
  readonly #hush: Hush = { secrets: new Set() };

  constructor(
    readonly app: INestApplication,
    readonly origin: string,
    readonly receiver: Receiver,
    readonly logs: CollectingLogger,
    private readonly remove: () => Promise<void>,
  ) {}

  /** From now on an answer of the API that shows this text fails the test. */
  keepSecret(secret: string): void {
    this.#hush.secrets.add(secret);
  }

  /** A workspace with a token that may do everything. */
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

  /** @param token null calls without any */
  client(token: string | null): ApiClient {
    return new ApiClient(this.origin, token, this.#hush);
  }

  get database(): DataSource {
    return this.app.get(DataSource);
  }

  /** What no endpoint shows, and what only a crash could bring about. */
  async sql<T = Readonly<Record<string, unknown>>>(text: string, parameters: readonly unknown[] = []): Promise<T[]> {
    const result: unknown = await this.database.query(text, [...parameters]);
    const [first] = result as readonly unknown[];
    return (Array.isArray(first) ? first : result) as T[];
  }

  async stop(): Promise<void> {
    await this.app.close();
    await Promise.all([this.receiver.stop(), this.remove()]);
  }
}

/** One for all tests of a file: start it in `beforeAll`, stop it in `afterAll`. */
export async function startPlatform({ mode = modeOfRun(), options }: PlatformRequest = {}): Promise<Platform> {
  const { remove, ...database } = await platformDatabase(mode);
  const receiver = await Receiver.start();
  const { app, url } = await startHost(
    { port: 0, ...database, allowPrivateEndpoints: ['127.0.0.0/8'], logLevel: 'error' },
    { ...SHORT_WAITS, ...options },
  );
  // The host has set a logger of its own by now.
  const logs = new CollectingLogger();
  Logger.overrideLogger(logs);
  return new Platform(app, url, receiver, logs, remove);
}
