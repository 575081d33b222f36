import { PushAdmin } from '../../../src/data-sinks/api/push-admin.js';
import { RecoveryAdmin } from '../../../src/data-sinks/recovery/recovery-admin.js';
import { SinkTest } from '../../../src/data-sinks/sinks/sink-test.js';
import type { DataSink } from '../../../src/data-sinks/domain/data-sink.js';
import type { Recovery } from '../../../src/data-sinks/domain/recovery.js';
import { ProblemError } from '../../../src/data-sinks/index.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { RecoveryRepository } from '../../../src/data-sinks/recovery/recovery.repository.js';
import { RecoveryPacer } from '../../../src/data-sinks/recovery/recovery-pacer.js';
import { KEPT } from './ledger.js';
import type { Receivers } from './receivers.js';
import type { Seeded } from './seeded.js';
import type { WeekSink, World } from './world.js';

/** The owners of sinks: they look after an outage, test, have recovered what failed, and redeliver now and then. */
export class Owners {
  readonly violations: string[] = [];
  readonly done = { reactivated: 0, redelivered: 0, recoveries: 0, cancelledRecoveries: 0 };
  readonly #caredFor = new Set<number>();
  /** Recoveries that have not finished, by the sink that they are of. */
  readonly #recoveries = new Map<string, WeekSink>();

  constructor(
    private readonly world: World,
    private readonly receivers: Receivers,
    private readonly random: Seeded,
    private readonly startedMs: number,
  ) {}

  /** Of those whose outage has been over for long enough. What cannot be done now is done at another step. */
  async lookAfterOutages(nowMs: number): Promise<void> {
    if (this.world.host.agents.away) return;
    for (const sink of this.world.sinks) {
      const { outages, careAfterMs } = this.world.planned(sink.index);
      const over = outages.find(({ toMs }) => this.startedMs + toMs + careAfterMs <= nowMs);
      if (!over || this.#caredFor.has(sink.index)) continue;
      if (await this.#look(sink, new Date(this.startedMs + over.fromMs))) this.#caredFor.add(sink.index);
    }
  }

  /** Has some settled delivery sent once more. */
  async redeliverSomething(): Promise<void> {
    if (this.world.host.agents.away) return;
    const sink = this.random.pick(this.world.sinks);
    const { workspaceId } = this.world.agent(sink.agent);
    const deliveries = this.world.host.get(DeliveryRepository);
    const { items } = await deliveries.list({ workspaceId, dataSourceId: sink.id }, { limit: 1, afterId: null });
    for (const delivery of items) {
      const redelivery = this.world.host.get(PushAdmin).redeliver(this.world.caller({ workspaceId }), delivery);
      if (await unlessRefused(redelivery)) this.done.redelivered += 1;
    }
  }

  /** Every recovery adds up, and has an end. */
  async checkRecoveries(nowMs: number): Promise<void> {
    for (const [id, sink] of this.#recoveries) {
      const { workspaceId } = this.world.agent(sink.agent);
      const recovery = await this.world.host.get(RecoveryRepository).find({ workspaceId, dataSourceId: sink.id }, id);
      if (!recovery) this.violations.push(`${id} is gone`);
      else this.#check(recovery, sink, nowMs);
    }
  }

  #check(recovery: Recovery, sink: WeekSink, nowMs: number): void {
    const { id, status, total, redelivered, delivered, failed, cancelled, waiting, createdAt, finishedAt } = recovery;
    const numbers = JSON.stringify(recovery);
    if (redelivered > total) this.violations.push(`${id} made more due than it had: ${numbers}`);
    // Deliveries that are no longer kept cannot be counted.
    const isYoung = nowMs - createdAt.getTime() < KEPT.deliveryRetentionMs;
    if (isYoung && delivered + failed + cancelled + waiting !== redelivered) {
      this.violations.push(`${id} does not add up: ${numbers}`);
    }
    const goesOn = waiting > 0 || this.world.statusOf(sink) === 'DISABLED' || this.world.host.agents.away;
    if (finishedAt === null && !goesOn) this.violations.push(`${id} stands still: ${numbers}`);
    if (finishedAt === null) return;
    if (status === 'RUNNING') this.violations.push(`${id} has finished and is running: ${numbers}`);
    this.#recoveries.delete(id);
  }

  async #look(planned: WeekSink, since: Date): Promise<boolean> {
    const sink = await this.world.read(planned);
    if (!sink) return true;
    const caller = this.world.caller(sink);
    if (this.receivers.illnessOf(planned.index) || this.world.host.vault.away) return false;
    if (sink.status === 'DISABLED') {
      this.receivers.closed.delete(planned.index);
      const { passed, reactivated } = await this.world.host.get(SinkTest).run(caller, sink);
      if (!passed || !reactivated) this.violations.push(`a Test did not make ${sink.id} active again`);
      this.done.reactivated += 1;
    }
    return this.#recover({ ...sink, status: sink.status === 'DISABLED' ? 'ACTIVE' : sink.status }, planned, since);
  }

  async #recover(sink: DataSink, planned: WeekSink, since: Date): Promise<boolean> {
    const admin = this.world.host.get(RecoveryAdmin);
    const caller = this.world.caller(sink);
    const agent = this.world.agent(planned.agent);
    const recovery = await unlessRefused(admin.start(caller, agent, sink, { since }));
    if (!recovery) return false;
    if (recovery.total > 0) {
      this.done.recoveries += 1;
      this.#recoveries.set(recovery.id, planned);
      if (this.random.chance(0.2)) {
        if (this.random.chance(0.5))
          await this.world.host
            .get(RecoveryPacer)
            .look()
            .catch(() => undefined);
        await admin.cancel(caller, sink, recovery.id);
        this.done.cancelledRecoveries += 1;
      }
    }
    return true;
  }
}

/** An agent that is paused, a sink that is switched off: the API says no, and says why. */
async function unlessRefused<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 409) return null;
    throw error;
  }
}
