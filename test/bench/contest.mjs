import { setTimeout as delay } from 'node:timers/promises';
import { Load } from './load.mjs';
import { percentile, rssMb } from './measure.mjs';
import { GROWING } from './settled.mjs';
import { PRODUCTION_FLAGS } from './child.mjs';

/** About 10 KB of body. */
const ROWS = 80;

/** The shapes of load. */
export const SHAPES = {
  oneEndpoint: { agentIds: ['agt_one'], sinksEach: 1 },
  fanOut: { agentIds: ['agt_fan'], sinksEach: 20 },
  tenants: { agentIds: Array.from({ length: 100 }, (_, i) => `agt_tenant_${i}`), sinksEach: 1 },
};

/** A compiler is done with the hot path after so many deliveries. */
const WARM_UP = 1_500;

/**
 * The module and plain BullMQ, with defaults, on one PostgreSQL and one Redis, each with the same settled rows in its
 * tables. They take turns: while one is measured the other stands still.
 */
export class Contest {
  #stage;
  #designs = {};
  #fronts = {};
  #tags = 0;

  static async open(stage, { settledRows, scale }) {
    const warmUp = WARM_UP * Math.min(1, 2 * scale);
    const contest = new Contest();
    contest.#stage = stage;
    const settings = { databaseUrl: await stage.freshDatabase(), redisUrl: stage.redisUrl };
    contest.#designs = {
      ours: await stage.platform(),
      bullmq: await stage.start('bullmq.mjs', { BENCH_BULLMQ: JSON.stringify(settings) }, PRODUCTION_FLAGS),
    };
    for (const [name, design] of Object.entries(contest.#designs)) {
      for (const { agentIds, sinksEach } of Object.values(SHAPES)) {
        for (const agentId of agentIds) await stage.addSinks(design, agentId, sinksEach);
      }
      if (settledRows > 0) await design.ask('settle', { count: settledRows, analyse: [...GROWING, 'host_job'] });
      contest.#fronts[name] = await design.ask('listen');
    }
    await stage.postgres.query('CHECKPOINT');
    for (const name of ['ours', 'bullmq']) contest.#designs[name].pause();
    for (const name of ['ours', 'bullmq']) {
      for (const shape of Object.keys(SHAPES)) await contest.saturate(name, shape, Math.ceil(warmUp / 3), true);
      await contest.pace(name, 'oneEndpoint', Math.ceil(warmUp / 5), 100);
    }
    stage.foreign = [];
    return contest;
  }

  /** Each design's turn, the other one first every second time. @param turn given the design's name */
  async turns(runs, turn) {
    const results = { ours: [], bullmq: [] };
    for (let run = 0; run < runs; run++) {
      for (const name of run % 2 === 0 ? ['ours', 'bullmq'] : ['bullmq', 'ours']) results[name].push(await turn(name));
    }
    return results;
  }

  /** As fast as they are taken. @param http behind the front, in the host's transaction; else in the process */
  saturate(name, shape, deliveries, http) {
    const { agentIds, sinksEach } = SHAPES[shape];
    const jobs = Math.ceil(deliveries / sinksEach);
    return this.#measure(name, jobs * sinksEach, (load, tag) => {
      const asked = { agentIds, jobs, rows: ROWS, tag, atOnce: 64 };
      return http ? load.saturate(asked) : this.#designs[name].ask('complete', asked);
    });
  }

  /** At a steady rate, behind the front. */
  pace(name, shape, deliveries, perSecond) {
    const { agentIds, sinksEach } = SHAPES[shape];
    const jobs = Math.ceil(deliveries / sinksEach);
    const rate = perSecond / sinksEach;
    return this.#measure(name, jobs * sinksEach, (load, tag) =>
      load.pace({ agentIds, jobs, rows: ROWS, tag, perSecond: rate }),
    );
  }

  /**
   * The flushes of the log that client backends waited for, and the statements that were sent, while our design works.
   * @param scale of a smoke test does not wait until all that is counted has been told
   */
  async commits(work, scale) {
    const counts = async () => {
      await delay(scale < 0.05 ? 1_000 : BACKENDS_TELL_MS);
      const { rows } = await this.#stage.postgres.query(FLUSHES);
      return rows[0].flushes;
    };
    const before = await counts();
    const { sqlPerDelivery, deliveries } = await work();
    return { flushes: (await counts()) - before, statements: sqlPerDelivery * deliveries };
  }

  async #measure(name, deliveries, offer) {
    const design = this.#designs[name];
    design.resume();
    const load = new Load(this.#fronts[name]);
    // Of one length, and every job's id new.
    const tag = `r${String(++this.#tags).padStart(4, '0')}x`;
    await this.#stage.receiver.ask('reset');
    const costs = await this.#stage.costs([design], deliveries, async () => {
      const offered = offer(load, tag);
      await Promise.all([offered, this.#stage.received(deliveries)]);
    });
    const firstBytes = await this.#stage.receiver.ask('first-bytes');
    const latencies = Object.entries(load.sentAt).flatMap(([id, at]) =>
      id in firstBytes ? [firstBytes[id] - at] : [],
    );
    const memoryMb = rssMb(design.pid);
    await load.end();
    design.pause();
    return { ...costs, deliveries, latencies, memoryMb };
  }

  async close() {
    for (const design of Object.values(this.#designs)) await this.#stage.stop(design);
  }
}

/** A backend that has gone idle tells what it counted after 10 seconds. */
const BACKENDS_TELL_MS = 11_000;
/** PostgreSQL 18 and later. */
const FLUSHES = `SELECT sum(fsyncs)::float8 AS flushes FROM pg_stat_io WHERE object = 'wal' AND backend_type = 'client backend'`;

/** Of some measurements together. */
export const ofLatencies = (results) => {
  const all = results.flatMap(({ latencies }) => latencies);
  return { p50: percentile(all, 50), p99: percentile(all, 99) };
};
