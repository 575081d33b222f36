import { DataSinks, type JobCompleted } from '../../../src/data-sinks/index.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { claimDeliveries } from '../../../src/data-sinks/queue/claim-deliveries.js';
import { Bucket } from '../../support/s3/store.js';
import { FakeClock, realDate } from './fake-clock.js';
import { KEPT, Ledger } from './ledger.js';
import { Owners } from './owners.js';
import { Receivers } from './receivers.js';
import { Seeded } from './seeded.js';
import { WeekHost } from './week-host.js';
import { DAY_MS, HOUR_MS, type PlannedDeed, planWeek, WEEK_MS, type WeekPlan } from './week-plan.js';
import { World } from './world.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';

/** A Thursday; the month ends in it, and the partition of its attempts goes. */
const BEGINS = new Date('2026-01-29T00:00:00Z');
/** By the clock that stands still; by the real one it is extended every two seconds, in the middle of the work. */
const LEASE_MS = 6_000;
const HELD_BY_A_DEAD_WORKER = 5;

export interface WeekSize {
  readonly seed: number;
  readonly sinks: number;
  readonly stepMs: number;
}

interface WeekParts {
  readonly host: WeekHost;
  readonly world: World;
  readonly ledger: Ledger;
  readonly owners: Owners;
}

/** A week of traffic, on a clock that jumps from step to step. After each step everything must be as it should. */
export class Week {
  readonly plan: WeekPlan;
  readonly receivers: Receivers;
  #parts: WeekParts | null = null;
  readonly #random: Seeded;
  /** Finished, and no process of ours has heard of it yet. */
  #unheard: { readonly job: JobCompleted; readonly agent: number; readonly emitted: boolean }[] = [];
  /** Deliveries of workers that have died, until their leases run out. */
  #held = new Set<string>();
  #jobs = 0;
  /** How many deliveries workers had in hand that died. */
  #died = 0;
  #nextDeed = 0;
  #checkedHour = 0;

  private constructor(
    private readonly clock: FakeClock,
    private readonly size: WeekSize,
    store: Bucket,
  ) {
    this.plan = planWeek(size.seed, size.sinks);
    this.#random = new Seeded(size.seed + 1);
    this.receivers = new Receivers(
      this.plan.sinks,
      () => this.#sinceStartMs,
      store,
      () => clock.ms,
    );
  }

  static async prepare(size: WeekSize): Promise<Week> {
    const store = await Bucket.make({ now: realDate });
    const clock = await FakeClock.start(BEGINS);
    const week = new Week(clock, size, store);
    try {
      await week.#prepare();
    } catch (error) {
      await week.stop();
      throw error;
    }
    return week;
  }

  async #prepare(): Promise<void> {
    const options = {
      leaseMs: LEASE_MS,
      testsPerMinute: 1_000,
      pingOnSave: false,
      maxInFlight: 256,
      sinksPerWorkspace: 1_000,
      ...KEPT,
    };
    const host = await WeekHost.start(this.clock.dataSource, this.receivers, options);
    const world = new World(host, this.plan, this.receivers);
    const ledger = new Ledger(world, this.receivers, () => this.clock.ms);
    const owners = new Owners(world, this.receivers, this.#random, BEGINS.getTime());
    this.#parts = { host, world, ledger, owners };
    await world.makeSinks();
  }

  get parts(): WeekParts {
    if (!this.#parts) throw new Error('the week is not prepared');
    return this.#parts;
  }

  /** Lives through it; then everybody puts things in order, until nothing waits. */
  async live(): Promise<void> {
    let ms = 0;
    while (ms < WEEK_MS) await this.#step((ms += this.size.stepMs));
    this.#putInOrder();
    do {
      if (ms > WEEK_MS + 2 * DAY_MS) throw new Error('two days later something still waits');
      await this.#step((ms += HOUR_MS));
    } while ((await this.#waiting()) > 0);
    await this.parts.ledger.checkAll();
    for (const [i, { type }] of this.plan.sinks.entries()) if (type === 'S3') await this.receivers.buckets.check(i);
    this.#requireNothing();
  }

  /** What happened, in numbers. */
  counts(): Readonly<Record<string, number>> {
    const { ledger, owners } = this.parts;
    return {
      owed: ledger.owed,
      ...ledger.ended(),
      ...{ posts: this.receivers.posts, leftByDeadWorkers: this.#died },
      ...this.receivers.buckets.counts(),
      ...owners.done,
      ...Object.fromEntries(ledger.reasons),
    };
  }

  async stop(): Promise<void> {
    await this.#parts?.host.stop();
    await this.clock.stop();
  }

  get #sinceStartMs(): number {
    return this.clock.ms - BEGINS.getTime();
  }

  async #step(toMs: number): Promise<void> {
    const { host, world, owners } = this.parts;
    await this.clock.moveTo(BEGINS.getTime() + toMs);
    this.#held = new Set();
    this.receivers.closed = new Set();
    let dies = false;
    for (const deed of this.#deedsUntil(toMs)) {
      if (deed.kind === 'finish' || deed.kind === 'finishUnheard') this.#finish(deed);
      else if (deed.kind === 'workerDies') dies = true;
      else await world.change(deed);
    }
    await world.readStatuses();
    this.receivers.closed = world.closed();
    await owners.lookAfterOutages(this.clock.ms);
    if (this.#random.chance(0.1)) await owners.redeliverSomething();
    await this.#recordJobs();
    if (dies) await this.#letAWorkerDie();
    await host.work(this.#held);
    await world.readStatuses();
    await this.#check();
  }

  #deedsUntil(ms: number): PlannedDeed[] {
    const from = this.#nextDeed;
    const next = this.plan.deeds.findIndex(({ atMs }, i) => i >= from && atMs > ms);
    this.#nextDeed = next === -1 ? this.plan.deeds.length : next;
    return this.plan.deeds.slice(from, this.#nextDeed);
  }

  #finish({ kind, of, atMs }: PlannedDeed): void {
    const { id: agentId, workspaceId } = this.parts.world.agent(of);
    const jobId = `job_${String((this.#jobs += 1)).padStart(6, '0')}`;
    const completedAt = new Date(BEGINS.getTime() + atMs);
    const job = { jobId, agentId, workspaceId, completedAt, stats: { total: 1, matched: 1, unmatched: 0 } };
    const row = {
      partnerRowId: `row_${jobId}`,
      referenceHotelId: 'ref_1',
      matchMethod: 'STANDARD',
      matchConfidence: null,
    };
    this.parts.host.results.complete(job, [row]);
    this.#unheard.push({ job, agent: of, emitted: kind === 'finish' });
  }

  /** Most are told, some twice; the others are found by the sweeper, which comes next. */
  async #recordJobs(): Promise<void> {
    const { host, world, ledger } = this.parts;
    const told = this.#unheard.filter(({ emitted }) => emitted).map(({ job }) => job);
    const again = told.filter(() => this.#random.chance(0.1));
    const outcomes = await Promise.allSettled(
      [...told, ...again].map((job) => host.get(DataSinks).recordJobCompleted(job)),
    );
    if (host.agents.away) return;
    const refused = outcomes.find(({ status }) => status === 'rejected');
    if (refused) throw new Error('a completion was not recorded', { cause: refused });
    for (const { job, agent } of this.#unheard) ledger.expect(job, world.wanting(agent));
    this.#unheard = [];
  }

  /** It has claimed deliveries, and nobody hears of it any more. */
  async #letAWorkerDie(): Promise<void> {
    const limits = {
      batch: HELD_BY_A_DEAD_WORKER,
      inFlightPerSink: 16,
      inFlightPerWorkspace: 256,
      leaseMs: LEASE_MS,
      leasePrefix: new ThisWorker().leasePrefix,
    };
    const { deliveries: claimed } = await claimDeliveries(databaseOf(this.clock.dataSource.manager), limits);
    this.#held = new Set(claimed.map(({ id }) => id));
    this.#died += claimed.length;
  }

  async #check(): Promise<void> {
    const { ledger, owners } = this.parts;
    await ledger.check(this.#held);
    await owners.checkRecoveries(this.clock.ms);
    const hour = Math.floor(this.#sinceStartMs / HOUR_MS);
    if (hour !== this.#checkedHour) {
      await ledger.checkPayloads();
      await ledger.checkAttempts();
      if (hour % 24 === 0) await ledger.checkAll();
      this.#checkedHour = hour;
    }
    this.#requireNothing();
  }

  #requireNothing(): void {
    const { ledger, owners } = this.parts;
    const found = [...this.receivers.violations, ...ledger.violations, ...owners.violations];
    if (found.length === 0) return;
    const at = new Date(this.clock.ms).toISOString();
    throw new Error(`seed ${this.size.seed}, ${at}, ${found.length} violations:\n${found.slice(0, 20).join('\n')}`);
  }

  /** Everybody is back: agents run, plans are paid for. What was switched off stays so. */
  #putInOrder(): void {
    const { world, host } = this.parts;
    for (const index of this.plan.agents.keys()) {
      world.setAgent(index, true);
      world.setRule(index, true);
    }
    for (let i = 0; i < this.plan.workspaces; i++) world.setPlan(i, true);
    host.vault.away = false;
    host.agents.away = false;
  }

  async #waiting(): Promise<number> {
    const [row] = await this.parts.host.rows<{ n: number }>(
      `SELECT (SELECT count(*) FROM agent_data_source_delivery WHERE settled_at IS NULL)::int
            + (SELECT count(*) FROM agent_data_source_recovery WHERE finished_at IS NULL)::int AS n`,
    );
    return row?.n ?? 0;
  }
}
