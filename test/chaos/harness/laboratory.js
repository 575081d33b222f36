// @ts-check
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startServices } from '../../support/services/services.js';
import { Platform } from './platform.js';
import { Process } from './process.js';
import { flushRedis } from './redis.js';
import { Stage } from './stage.js';

/** @typedef {import('../../support/services/services.js').Service} Service */

const TEMPLATE = 'chaos_template';
const SINK_PATHS = ['/one', '/two'];

/**
 * PostgreSQL and Redis of its own, to be killed at will, the receiver, and a database with an agent that pushes to two
 * sinks, of which each scenario gets a copy.
 */
export class Laboratory {
  #scenes = 0;
  #stages = 0;
  /** @type {Stage | null} */
  #standing = null;

  /**
   * @param {object} parts
   * @param {() => Promise<void>} parts.stopServices
   * @param {string} parts.directory
   * @param {Service} parts.postgres durable: what it has confirmed it has
   * @param {Service} parts.redis
   * @param {Process} parts.receiver
   * @param {string} parts.vaultKeys
   */
  constructor({ stopServices, directory, postgres, redis, receiver, vaultKeys }) {
    this.stopServices = stopServices;
    this.directory = directory;
    this.postgres = postgres;
    this.redis = redis;
    this.receiver = receiver;
    this.vaultKeys = vaultKeys;
    /** @type {Platform | null} */
    this.platform = null;
  }

  /** @throws when a service cannot be had: a fault that cannot be shown is no pass */
  static async open() {
    // Never those of DATABASE_URL and REDIS_URL: they are not ours to kill.
    const services = await startServices({ durable: true }, {});
    const { postgres, redis } = services.running;
    if (!postgres || !redis) {
      await services.stop();
      throw new Error(`the chaos suite needs its own services: ${JSON.stringify(services.missing)}`);
    }
    const directory = await mkdtemp(join(tmpdir(), 'data-sinks-chaos-'));
    const secret = randomBytes(32).toString('base64url');
    const setting = { ledger: join(directory, 'before.ndjson'), secret };
    const receiver = Process.start('receiver.mjs', 'receiver', { setting });
    const vaultKeys = `k1:${randomBytes(32).toString('base64')}`;
    const stopServices = services.stop;
    const laboratory = new Laboratory({ stopServices, directory, postgres, redis, receiver, vaultKeys });
    try {
      await laboratory.#furnish(secret);
    } catch (error) {
      await laboratory.close();
      throw error;
    }
    return laboratory;
  }

  async close() {
    await this.#standing?.abandon();
    await this.receiver.kill();
    await this.stopServices();
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * A stage for the next scenario.
   * @param {boolean} standing whether on the one where two workers go on from scenario to scenario; else on an empty one
   */
  async stage(standing) {
    await this.#heal();
    const stage = standing ? (this.#standing ??= await this.#standingStage()) : await this.#emptyStage();
    await stage.begin(join(this.directory, `ledger-${++this.#scenes}.ndjson`));
    return stage;
  }

  /** After a scenario that failed nobody knows in what state it left those two. @param {Stage} stage */
  discard(stage) {
    if (this.#standing === stage) this.#standing = null;
  }

  async #standingStage() {
    const stage = await this.#emptyStage();
    await stage.start({ name: 'first' }, { name: 'second' });
    return stage;
  }

  async #emptyStage() {
    const name = `chaos_${++this.#stages}`;
    if (!this.platform) throw new Error('the laboratory is not furnished');
    await this.admin(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    return new Stage(this, { databaseUrl: this.#databaseUrl(name), platform: this.platform });
  }

  /** @param {string} statement on the server, in no scenario's database */
  async admin(statement) {
    const client = new pg.Client({ connectionString: this.postgres.url });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }

  /** @param {string} databaseUrl @returns {NodeJS.ProcessEnv} */
  hostEnvironment(databaseUrl) {
    return {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      REDIS_URL: this.redis.url,
      VAULT_KEYS: this.vaultKeys,
      ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8',
    };
  }

  /** A scenario that failed may have left a service dead. */
  async #heal() {
    for (const service of [this.postgres, this.redis]) {
      await service.start().catch((/** @type {Error} */ error) => {
        if (!error.message.includes('running already')) throw error;
      });
    }
    await flushRedis(this.redis.url);
  }

  /** @param {string} secret the sinks' */
  async #furnish(secret) {
    const port = await this.receiver.message('listening', (message) => message.port);
    await this.admin(`CREATE DATABASE ${TEMPLATE}`);
    const env = this.hostEnvironment(this.#databaseUrl(TEMPLATE));
    const host = Process.start('worker.mjs', 'furnisher', { env });
    const { url, seeded } = await host.message('listening', (message) => (message.url ? message : undefined));
    this.platform = new Platform(seeded);
    const sinkUrls = SINK_PATHS.map((path) => `http://127.0.0.1:${port}${path}`);
    await this.platform.furnish(url, { sinkUrls, secret, retries: 10 });
    // Its start made the partitions: once, not in each copy.
    host.signal('SIGTERM');
    await host.end();
  }

  /** @param {string} name */
  #databaseUrl(name) {
    const url = new URL(this.postgres.url);
    url.pathname = `/${name}`;
    return url.href;
  }
}
