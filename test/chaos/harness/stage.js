// @ts-check
import { setTimeout as delay } from 'node:timers/promises';
import { readLedger } from './ledger.js';
import { newJobId } from './platform.js';
import { Process } from './process.js';
import { readBooks, reckon } from './reckoning.js';
import { Tables } from './tables.js';
import { DEADLINE_MS, until } from './until.js';

/**
 * @typedef {object} WorkerWish
 * @property {string} name also its `workerId`
 * @property {string} [failpoint]
 * @property {Partial<import('../../../src/data-sinks/index.js').DataSinksOptions>} [options]
 * @property {string} [databaseUrl]
 * @property {number} [clockAheadMs]
 */

/** The contract's waits are seconds and minutes; a fault's whole cycle is to take seconds. */
const QUICK = {
  retryWaitsMs: [100, 200, 400],
  leaseMs: 1_500,
  pollMs: 250,
  sweepMs: 500,
  shutdownGraceMs: 5_000,
};

/** A platform on a database of its own, its workers, and the ledger of what arrived: for one scenario after the other. */
export class Stage {
  /** @type {Process[]} */
  #workers = [];
  /** @type {Map<Process, string>} */
  #urls = new Map();
  /** @type {Process[]} */
  #others = [];
  /** @type {string[]} */
  #accepted = [];
  #faultAt = 0;
  #clearAt = 0;
  #since = new Date(0);
  #ledgerPath = '';
  /** @type {Tables} */
  #tables;

  /**
   * @param {import('./laboratory.js').Laboratory} laboratory
   * @param {{ databaseUrl: string, platform: import('./platform.js').Platform }} parts
   */
  constructor(laboratory, { databaseUrl, platform }) {
    this.laboratory = laboratory;
    this.databaseUrl = databaseUrl;
    this.#tables = new Tables(databaseUrl);
    this.platform = platform;
  }

  /** A scenario begins: what was before is settled and counts no more. @param {string} ledger a file of its own */
  async begin(ledger) {
    this.#ledgerPath = ledger;
    const usual = { failShare: 0, answerAfterMs: 0, bytesPerSecond: 0, always: 0, otherSecrets: [] };
    await this.receiver({ ledger, ...usual });
    const [row] = await this.query('SELECT now() AS now');
    this.#since = row?.['now'];
    this.#accepted = [];
    this.#faultAt = 0;
    this.#workers = this.#workers.filter((worker) => worker.alive);
    for (const worker of this.#workers) worker.forget();
  }

  /** When the scenario began, by the database's clock. */
  get since() {
    return this.#since;
  }

  get postgres() {
    return this.laboratory.postgres;
  }

  get redis() {
    return this.laboratory.redis;
  }

  get workers() {
    return this.#workers;
  }

  /**
   * Starts workers together; resolves when all listen.
   * @template {readonly WorkerWish[]} Wishes
   * @param {Wishes} wishes
   * @returns {Promise<{ [Key in keyof Wishes]: Process }>}
   */
  async start(...wishes) {
    const started = wishes.map((wish) => this.#spawn(wish));
    this.#workers.push(...started);
    await Promise.all(
      started.map(async (worker) =>
        this.#urls.set(worker, await worker.message('listening', (message) => message.url)),
      ),
    );
    return /** @type {{ [Key in keyof Wishes]: Process }} */ (/** @type {unknown} */ (started));
  }

  /** @param {WorkerWish} wish */
  #spawn({ name, failpoint, options, databaseUrl = this.databaseUrl, clockAheadMs }) {
    const env = {
      ...this.laboratory.hostEnvironment(databaseUrl),
      CHAOS_OPTIONS: JSON.stringify({ ...QUICK, workerId: name, ...options }),
      ...(failpoint && { DATA_SINKS_FAILPOINT: failpoint }),
      ...(clockAheadMs && { CHAOS_CLOCK_AHEAD_MS: String(clockAheadMs) }),
    };
    const preload = new URL('../processes/wrong-clock.mjs', import.meta.url).href;
    return Process.start('worker.mjs', name, { env, nodeOptions: clockAheadMs ? ['--import', preload] : [] });
  }

  /**
   * @param {object} behaviour of the receiver; what is not named stays
   * @param {string} [behaviour.ledger]
   * @param {number} [behaviour.failShare]
   * @param {number} [behaviour.answerAfterMs]
   * @param {number} [behaviour.bytesPerSecond]
   * @param {number} [behaviour.always] this status, whatever comes; 0 ends that
   * @param {readonly string[]} [behaviour.otherSecrets] that it checks signatures with, beside its first
   */
  async receiver(behaviour) {
    await this.laboratory.receiver.ask(behaviour);
  }

  /**
   * Asks a host for the same at each of the agent's sinks, as the customer would.
   * @param {Process} host
   * @param {string} method
   * @param {string} path below the sink's
   * @param {object} body
   */
  async atEachSink(host, method, path, body) {
    const sinks = await this.query('SELECT id FROM agent_data_source ORDER BY id');
    for (const { id } of sinks) {
      await this.platform.ask(this.#urls.get(host) ?? '', method, `/data-sources/${String(id)}${path}`, body);
    }
  }

  /**
   * Finishes jobs, some at a time, at hosts in turn. A job whose host died over it is sent again elsewhere, as the
   * mapping engine would.
   * @param {number} count
   * @param {{ rows?: number, at?: readonly Process[], atOnce?: number }} [how]
   */
  finishJobs(count, { rows = 1, at = this.#workers, atOnce = 8 } = {}) {
    let next = 0;
    const sender = async () => {
      while (next < count) {
        const turn = next++;
        await this.#finishJob(turn, rows, at);
      }
    };
    const sent = Promise.all(Array.from({ length: atOnce }, sender));
    // Whoever plays on meanwhile awaits it later, or never, when something else has failed before.
    sent.catch(() => undefined);
    return sent;
  }

  /** @param {number} turn @param {number} rows @param {readonly Process[]} at */
  async #finishJob(turn, rows, at) {
    const jobId = newJobId();
    const deadline = performance.now() + DEADLINE_MS;
    for (let attempt = 0; ; attempt++) {
      const alive = at.filter((worker) => worker.alive);
      const hosts = alive.length > 0 ? alive : this.#workers.filter((worker) => worker.alive);
      const host = hosts[(turn + attempt) % hosts.length];
      try {
        if (!host) throw new Error('no host is alive');
        await this.platform.finishJob(this.#urls.get(host) ?? '', jobId, rows);
        this.#accepted.push(jobId);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(50);
      }
    }
  }

  /**
   * An order for a worker's process: to commit a finished job without telling the data sinks.
   * @param {{ jobId: string, rows: readonly object[], emit: boolean }} job
   */
  accept(job) {
    this.#accepted.push(job.jobId);
    const { agentId, workspaceId } = this.platform;
    return { ...job, rows: [...job.rows], agentId, workspaceId };
  }

  /** From now on the backlog's clock runs. */
  fault() {
    this.#faultAt ||= performance.now();
  }

  /** @param {Process} worker */
  faultWhenEnds(worker) {
    void worker.ended.then(() => this.fault());
  }

  /** @param {Process} worker that is to die at its failpoint */
  async untilKilled(worker) {
    await until(`${worker.name} dies at its failpoint`, () => !worker.alive);
    const how = await worker.ended;
    if (how !== 'SIGKILL') throw new Error(`${worker.name} ended with ${String(how)} instead of at its failpoint`);
  }

  /** @returns {Promise<{ url: string, set: (state: string) => Promise<void> }>} a way to the database that can be cut */
  async networkToPostgres() {
    const { hostname, port } = new URL(this.databaseUrl);
    const proxy = Process.start('proxy.mjs', 'network', { setting: { host: hostname, port: Number(port) } });
    this.#others.push(proxy);
    const url = new URL(this.databaseUrl);
    url.port = String(await proxy.message('listening', (message) => message.port));
    return { url: url.href, set: (state) => proxy.ask(state).then(() => undefined) };
  }

  /** @param {string} condition on `agent_data_source_sync` that at least one row must meet */
  async expectAttempts(condition) {
    if ((await this.#tables.countAttempts(this.#since, condition)) === 0)
      throw new Error(`no attempt has ${condition}`);
  }

  /**
   * Any worker may take what a host finishes: jobs are finished there, one after the other, until the state is reached.
   * @param {readonly Process[]} at
   * @param {string} condition on `agent_data_source_sync`
   */
  async finishJobsUntilAttempted(at, condition) {
    const look = async () => {
      if ((await this.#tables.countAttempts(this.#since, condition)) > 0) return true;
      await this.finishJobs(2, { at });
      await this.untilClear();
      return false;
    };
    await until(`an attempt has ${condition}`, look);
  }

  /** @param {string} condition that no row may meet */
  async expectNoAttempts(condition) {
    const count = await this.#tables.countAttempts(this.#since, condition);
    if (count > 0) throw new Error(`${count} attempts have ${condition}`);
  }

  get ledger() {
    return readLedger(this.#ledgerPath);
  }

  /** @param {string} what @param {(ledger: import('./ledger.js').LedgerLine[]) => boolean} holds */
  async untilReceiver(what, holds, withinMs = DEADLINE_MS) {
    await until(`receiver: ${what}`, () => holds(this.ledger), withinMs);
  }

  /** Waits until every finished job has its deliveries and all of them are settled. */
  async untilClear(withinMs = DEADLINE_MS) {
    await until('the backlog is clear', () => this.#tables.clear(), withinMs);
    this.#clearAt = performance.now();
  }

  /**
   * @param {string} sql
   * @param {unknown[]} [values]
   */
  query(sql, values) {
    return this.#tables.query(sql, values);
  }

  /**
   * Compares the tables with the receiver's ledger.
   * @returns {Promise<import('./reckoning.js').Reckoning & { clearMs: number }>}
   */
  async reckon() {
    const books = await this.#tables.read((client) => readBooks(client, this.#since));
    const reckoning = reckon(books, this.ledger, this.#accepted);
    return { ...reckoning, clearMs: Math.round(this.#clearAt - this.#faultAt) };
  }

  /** Ends every worker that lives. @returns how those ended that were asked to */
  async close() {
    const alive = this.#workers.filter((worker) => worker.alive);
    for (const worker of alive) {
      worker.signal('SIGTERM');
      worker.signal('SIGCONT');
    }
    return Promise.all(alive.map(async (worker) => ({ worker, how: await worker.end() })));
  }

  /** Nothing of this scenario reaches into the next. */
  async abandon() {
    await Promise.all([...this.#workers, ...this.#others].map((one) => one.kill()));
  }
}
