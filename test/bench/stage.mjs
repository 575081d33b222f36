import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import pg from 'pg';
import { startServices } from '../support/services/services.js';
import { Child } from './child.mjs';
import { cpuMs, nowMs, until } from './measure.mjs';

/** As `npm run start:prod` starts the host; the naive design gets the same. */
export const PRODUCTION_FLAGS = ['--max-semi-space-size=64'];

const SECRET = 'bench-secret-of-32-bytes-or-more';

/** What all parts share: real services, a receiver, databases, and the certainty that nothing was lost or wrong. */
export class Stage {
  #children = new Set();
  #databases = 0;

  static async open() {
    const stage = new Stage();
    stage.services = await startServices({ durable: true });
    for (const note of stage.services.notes) console.error(note);
    const missing = Object.entries(stage.services.missing);
    if (missing.length > 0) throw new Error(missing.map(([name, why]) => `${name}: ${why}`).join('\n'));
    stage.postgresUrl = stage.services.running.postgres.url;
    stage.redisUrl = stage.services.running.redis.url;
    stage.redis = new Redis(stage.redisUrl);
    stage.postgres = new pg.Client(stage.postgresUrl);
    await stage.postgres.connect();
    stage.vaultKeys = `k1:${randomBytes(32).toString('base64')}`;
    stage.receiver = await stage.start('receiver.mjs', { BENCH_SECRET: SECRET });
    const { rows } = await stage.postgres.query('SHOW data_directory');
    stage.pids = {
      postgres: Number(readFileSync(join(rows[0].data_directory, 'postmaster.pid'), 'utf8').split('\n')[0]),
      redis: Number(/process_id:(\d+)/.exec(await stage.redis.info('server'))[1]),
    };
    return stage;
  }

  async start(script, env, execArgv) {
    const child = await Child.start(script, env, execArgv);
    this.#children.add(child);
    return child;
  }

  async stop(child) {
    this.#children.delete(child);
    await child.stop();
  }

  async freshDatabase() {
    const name = `bench_${++this.#databases}`;
    await this.postgres.query(`CREATE DATABASE ${name}`);
    return this.postgresUrl.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
  }

  /** The module in a process of its own. */
  async platform({
    databaseUrl,
    dataDir,
    redis = true,
    migrate = true,
    options = {},
    execArgv = PRODUCTION_FLAGS,
  } = {}) {
    const settings = {
      ...(dataDir ? { dataDir } : { databaseUrl: databaseUrl ?? (await this.freshDatabase()) }),
      ...(redis && { redisUrl: this.redisUrl }),
      migrate,
      vaultKeys: this.vaultKeys,
      options,
    };
    const platform = await this.start('platform.mjs', { BENCH_PLATFORM: JSON.stringify(settings) }, execArgv);
    platform.databaseUrl = settings.databaseUrl;
    return platform;
  }

  urls(count, path = '') {
    return Array.from(
      { length: count },
      (_, i) => `http://127.0.0.1:${this.receiver.hello.listening}${path}/sink-${i}`,
    );
  }

  async addAgents(platform, agents, sinksEach) {
    const ids = Array.from({ length: agents }, (_, i) => `agt_bench_${i}`);
    for (const agentId of ids) {
      await platform.ask('addSinks', { agentId, urls: this.urls(sinksEach), secret: SECRET });
    }
    return ids;
  }

  get secret() {
    return SECRET;
  }

  /** Waits for so many distinct deliveries. @throws when a push was wrong, came twice after success, or is missing */
  async received(deliveries) {
    await until(async () => (await this.receiver.ask('totals')).deliveries >= deliveries, `${deliveries} deliveries`);
    const totals = await this.receiver.ask('totals');
    if (totals.wrong > 0 || totals.repeated > 0 || totals.deliveries !== deliveries) {
      throw new Error(`the run is void: ${JSON.stringify(totals)}, ${deliveries} expected`);
    }
    return totals;
  }

  /** Runs work and says what it cost. */
  async costs(worker, deliveries, work) {
    const before = await this.#counters(worker);
    const startedAt = nowMs();
    await work();
    const seconds = (nowMs() - startedAt) / 1000;
    const after = await this.#counters(worker);
    const each = (name) => (after[name] - before[name]) / deliveries;
    return {
      perSecond: deliveries / seconds,
      cpuUs: Object.fromEntries(
        ['worker', 'postgres', 'redis', 'receiver'].map((name) => [name, Math.round(each(name) * 1000)]),
      ),
      sqlPerDelivery: each('sql'),
      redisPerDelivery: each('redisCommands'),
    };
  }

  async #counters(worker) {
    return {
      worker: cpuMs(worker.pid),
      postgres: cpuMs(this.pids.postgres, { withChildren: true }),
      redis: cpuMs(this.pids.redis),
      receiver: cpuMs(this.receiver.pid),
      sql: (await worker.ask('statements')) ?? 0,
      redisCommands: Number(/total_commands_processed:(\d+)/.exec(await this.redis.info('stats'))[1]),
    };
  }

  async close() {
    await Promise.all([...this.#children].map((child) => child.stop()));
    this.redis.disconnect();
    await this.postgres.end();
    await this.services.stop();
  }
}
