import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { Receiver } from '../../support/platform/receiver-process.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { HostProcess } from './host-process.js';
import { Stranger, type StrangerRequest } from './stranger.js';

/** A first installation fetches packages. */
const INSTALL_LIMIT_MS = 1_200_000;

/** A vault's key, for the setting `VAULT_KEYS`. */
export const newVaultKeys = (): string => `k1:${randomBytes(32).toString('base64')}`;

/** What the tests of one kind of host share, and what is stopped and dropped after them. */
export class StrangeWorld {
  readonly #databases: TestDatabase[] = [];
  readonly #hosts: HostProcess[] = [];

  constructor(
    readonly stranger: Stranger,
    /** What tsc said when it compiled the hosts. */
    readonly diagnostics: readonly string[],
    readonly receiver: Receiver,
  ) {}

  /** A database of the host's own, without a table. @returns its URL */
  async database(): Promise<string> {
    const database = await emptyPostgres();
    this.#databases.push(database);
    return database.url;
  }

  /**
   * @param execArgv Node's own options
   * @param execPath which Node
   */
  async host(
    script: string,
    environment: Readonly<Record<string, string>> = {},
    execArgv: readonly string[] = [],
    execPath?: string,
  ): Promise<HostProcess> {
    const host = await HostProcess.start(this.stranger, script, environment, execArgv, execPath);
    this.#hosts.push(host);
    return host;
  }

  async end(): Promise<void> {
    await Promise.all([this.receiver.stop(), ...this.#hosts.map((host) => host.stop())]);
    await Promise.all(this.#databases.map((database) => database.drop()));
  }
}

/** Installs the package into somebody's backend and compiles its hosts, before the first test of a file. */
export function strangeWorld(request: StrangerRequest): () => StrangeWorld {
  let world: StrangeWorld | null = null;
  beforeAll(async () => {
    const stranger = await Stranger.install(request);
    world = new StrangeWorld(stranger, await stranger.compile(), await Receiver.start());
  }, INSTALL_LIMIT_MS);
  afterAll(() => world?.end());
  return () => {
    if (!world) throw new Error('the world exists within tests only');
    return world;
  };
}
