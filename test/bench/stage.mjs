import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import pg from 'pg';
import { startServices } from '../support/services/services.js';
import { Child, PRODUCTION_FLAGS } from './child.mjs';
import { setTimeout as delay } from 'node:timers/promises';
import { Contest } from './contest.mjs';
import { busyMs, cpuMs, flushMs, nowMs, until } from './measure.mjs';

/** What a delivery leaves to do when it has arrived is done after so long. */
const AFTERMATH_MS = 400;

const SECRET = 'bench-secret-of-32-bytes-or-more';

/** What all parts share: real services, a receiver, databases, and the certainty that nothing was lost or wrong. */
export class Stage {
  #children = new Set();
  #databases = 0;
  #contest = null;
  /** Shares of the machine that others used while something was measured. */
  foreign = [];

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

  async freshDatabase(template = 'template1') {
    const name = `bench_${++this.#databases}`;
    await this.postgres.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
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
    for (const agentId of ids) await this.addSinks(platform, agentId, sinksEach);
    return ids;
  }

  addSinks(platform, agentId, count) {
    return platform.ask('addSinks', { agentId, urls: this.urls(count), secret: SECRET });
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

  /**
   * Runs work and says what it cost, to the end of what follows the last arrival.
   * @param workers the processes that do it
   */
  async costs(workers, deliveries, work) {
    const before = await this.#counters(workers);
    const startedAt = nowMs();
    await work();
    const seconds = (nowMs() - startedAt) / 1000;
    await delay(AFTERMATH_MS);
    const after = await this.#counters(workers);
    const each = (name) => (after[name] - before[name]) / deliveries;
    const measuredMs = nowMs() - startedAt;
    const foreignMs = after.machine - before.machine - (after.own - before.own);
    this.foreign.push(Math.max(0, foreignMs) / (measuredMs * cpus().length));
    const cpuUs = Object.fromEntries(
      ['worker', 'postgres', 'redis', 'receiver'].map((name) => [name, Math.round(each(name) * 1000)]),
    );
    return {
      perSecond: deliveries / seconds,
      cpuUs,
      cpuUsTotal: cpuUs.worker + cpuUs.postgres + cpuUs.redis,
      sqlPerDelivery: each('sql'),
      redisPerDelivery: each('redisCommands'),
      walBytesPerDelivery: Math.round(each('walBytes')),
    };
  }

  async #counters(workers) {
    const sql = await Promise.all(workers.map(async (worker) => (await worker.ask('statements')) ?? 0));
    const { rows } = await this.postgres.query('SELECT wal_bytes::float8 FROM pg_stat_wal');
    const redisCommands = Number(/total_commands_processed:(\d+)/.exec(await this.redis.info('stats'))[1]);
    const used = {
      worker: workers.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
      postgres: cpuMs(this.pids.postgres, { withChildren: true }),
      redis: cpuMs(this.pids.redis),
      receiver: cpuMs(this.receiver.pid),
    };
    const own = Object.values(used).reduce((sum, ms) => sum + ms, cpuMs(process.pid));
    const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
    return { ...used, own, machine: busyMs(), sql: sum(sql), redisCommands, walBytes: rows[0].wal_bytes };
  }

  /** Both designs, beside so many settled rows: opened once for the parts that need them. */
  async contest(options) {
    this.#contest ??= await Contest.open(this, options);
    return this.#contest;
  }

  async closeContest() {
    await this.#contest?.close();
    this.#contest = null;
  }

  /** Milliseconds of a flush to the disk that PostgreSQL's data is on, the median. */
  flushMs() {
    return flushMs(tmpdir());
  }

  async close() {
    await this.closeContest();
    await Promise.all([...this.#children].map((child) => child.stop()));
    this.redis.disconnect();
    await this.postgres.end();
    await this.services.stop();
  }
}
