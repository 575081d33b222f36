import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { ACTIVE_TRACE, INTAKE_AGENT_DIRECTORY, NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import type { DataSink } from '../domain/data-sink.js';
import { agentLookup } from '../ports/agent-lookup.js';
import { failpoint } from '../tools/failpoint.js';
import type { IdFactory } from '../domain/ids.js';
import type { JobCompleted } from '../domain/job-completed.js';
import { EventLog } from '../tools/event-log.js';
import { NaturalBatcher } from '../tools/natural-batcher.js';
import { recipeName, recipesFor } from '../domain/body/payload-recipe.js';
import { slicesOf } from '../tools/slices.js';
import type { TraceContext } from '../domain/trace-context.js';
import {
  type LeasingRule,
  type MadeDelivery,
  type NewDelivery,
  type NumberedCompletion,
  recordAndLease,
  recordCompletions,
} from './delivery-recorder.sql.js';
import { isFree, toClaimed } from './leased-delivery.js';
import { DataSinkRepository } from '../sinks/data-sink.repository.js';
import { Database } from '../database/database.js';
import type { OpenTransaction } from '../ports/open-transaction.js';
import { isRefusedData } from '../database/refused-data.js';
import type { Agent, AgentDirectory } from '../ports/agent-directory.js';
import { releaseDeliveries } from '../queue/lease.sql.js';
import { Handover } from '../queue/handover.js';
import { ThisWorker } from '../queue/this-worker.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import {
  type Completion,
  isOfAgent,
  type Recording,
  toCompletion,
  type WantedCompletion,
  wants,
} from './completion.js';
import { CompletionRefusedError } from './completion-refused.error.js';
import { noDeliveryLine, whyNone } from './no-delivery.js';
import { rulesInForce } from '../domain/data-sink-rules.js';
import { settleBatch, settleBatches, valueOf } from './split-failed-batch.js';

/** Deliveries per statement: takes less than a tenth of a second, during which other callers wait (measured). */
const DELIVERIES_AT_ONCE = 5_000;

/**
 * Step 2: creates one delivery per interested sink of a completed job, or per part. The rows are the outbox; everything
 * else follows from them.
 */
@Injectable()
export class DeliveryRecorder {
  readonly #log = new EventLog();
  readonly #limits: Omit<LeasingRule, 'tokens'>;
  readonly #batcher: NaturalBatcher<Completion, PromiseSettledResult<number>>;

  /** @param activeTrace the caller's trace, for completions that name none */
  constructor(
    private readonly database: Database,
    private readonly sinks: DataSinkRepository,
    @Inject(INTAKE_AGENT_DIRECTORY) private readonly agents: AgentDirectory,
    private readonly wakeup: Wakeup,
    private readonly handover: Handover,
    private readonly worker: ThisWorker,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(ACTIVE_TRACE) private readonly activeTrace: () => TraceContext | null,
    @Inject(OPTIONS) { leaseMs, maxInFlightPerSink, maxInFlightPerWorkspace }: ResolvedDataSinksOptions,
  ) {
    this.#limits = {
      leaseMs,
      inFlightPerSink: maxInFlightPerSink,
      inFlightPerWorkspace: maxInFlightPerWorkspace,
    };
    this.#batcher = new NaturalBatcher((completions) => this.#recordTogether(completions));
  }

  /**
   * Records a completion. Without a caller's transaction, completions that arrive together are written together.
   * @returns the number of deliveries created; 0 when no sink wants it or it was recorded before
   * @throws TypeError when the event is invalid; errors of ports and of the database; without a transaction
   *   CompletionRefusedError when the database refuses this completion
   */
  async record(event: JobCompleted, transaction?: OpenTransaction): Promise<number> {
    // Read here, in the caller's async context: the batch is later written in another one.
    const completion = toCompletion(event, false, this.activeTrace());
    if (!transaction) return valueOf(await this.#batcher.add(completion));
    const wanted = await this.#whoWants([completion], transaction);
    const recordings = wanted.map((one) => this.#recordingOf(one));
    const [made = 0] = await this.#write(recordings, transaction);
    return made;
  }

  /**
   * Records a missed completion long after it happened. Sinks created later are excluded: nobody who adds a sink today
   * expects yesterday's job to be sent.
   * @throws as `record`
   */
  async recordMissed(event: JobCompleted): Promise<number> {
    return valueOf(await this.#batcher.add(toCompletion(event, true)));
  }

  /**
   * Records completions that arrived together. A failure of one does not affect the others. Written slice by slice, so
   * that large jobs in parts do not become one long statement.
   */
  async #recordTogether(completions: readonly Completion[]): Promise<PromiseSettledResult<number>[]> {
    const asked = await settleBatch(completions, (some) => this.#whoWants(some));
    const wanted = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const slices = slicesOf(
      wanted,
      DELIVERIES_AT_ONCE,
      (one) => this.#recordingOf(one),
      (one) => one.deliveries.length,
    );
    const made = await settleBatches(slices, (slice) => this.#writeOrRefuse(slice));
    let next = 0;
    return asked.map((one) => (one.status === 'fulfilled' ? (made[next++] as PromiseSettledResult<number>) : one));
  }

  /** The sinks that want each completion, by the host's current rules. */
  async #whoWants(completions: readonly Completion[], transaction?: OpenTransaction): Promise<WantedCompletion[]> {
    const agentIds = [...new Set(completions.map((c) => c.agentId))];
    const agents = await this.agents.findAgents(agentIds, transaction);
    const agentOf = agentLookup(agents);
    const pushing = completions.filter((completion) => wantsPushes(agentOf(completion)));
    const found = await this.sinks.listOfAgents(pushing, this.database.in(transaction));
    const isPushing = new Set(pushing);
    return completions.map((completion) => {
      const ofAgent = isPushing.has(completion) ? found.filter((sink) => isOfAgent(sink, completion)) : [];
      const sinks = ofAgent.filter((sink) => wants(sink, completion));
      return {
        ...{ completion, sinks, retriesAllowed: retriesOf(agentOf(completion)) },
        whyNone: sinks.length === 0 ? whyNone(completion, agents, ofAgent) : null,
      };
    });
  }

  #recordingOf({ completion, sinks, retriesAllowed, whyNone }: WantedCompletion): Recording {
    const deliveries = sinks.flatMap((sink) => this.#newDeliveries(completion, sink, retriesAllowed));
    return { completion, sinks, deliveries, whyNone };
  }

  /**
   * Only here does the database judge the completion. Ports have databases of their own whose errors have the same
   * codes; and an error for several completions applies to only one of them.
   */
  async #writeOrRefuse(slice: readonly Recording[]): Promise<number[]> {
    try {
      return await this.#write(slice);
    } catch (error) {
      throw slice.length === 1 && isRefusedData(error) ? new CompletionRefusedError(error) : error;
    }
  }

  /** @returns the number of deliveries of each completion */
  async #write(recordings: readonly Recording[], transaction?: OpenTransaction): Promise<number[]> {
    const database = this.database.in(transaction);
    const completions = recordings.map(({ completion }) => completion);
    const deliveries = recordings.flatMap((recording) => recording.deliveries);
    const tokens = this.#mayBeLeased(recordings, database);
    const made: readonly (Pick<MadeDelivery, 'id'> & Partial<MadeDelivery>)[] =
      tokens.size > 0
        ? await recordAndLease(database, completions, deliveries, { ...this.#limits, tokens })
        : (await recordCompletions(database, 'AUTO', completions, deliveries)).map((id) => ({ id }));
    const at = made.find((one) => one.at)?.at;
    if (at) this.handover.answered(at);
    failpoint('after-recorded');
    if (made.length > 0) database.afterCommit(() => this.#passOn(recordings, made, tokens));
    const ids = new Set(made.map(({ id }) => id));
    return recordings.map(({ completion, deliveries, whyNone }) => {
      const { length } = deliveries.filter(({ id }) => ids.has(id));
      if (length === 0) this.#log.debug(noDeliveryLine(completion, whyNone ?? 'already_recorded'));
      return length;
    });
  }

  /**
   * Which deliveries a worker of this process may have without a claim: those of sinks that nothing holds back, as long as
   * it has room. Nobody would tell it of a commit that is not seen here.
   * @returns their lease tokens by their ids
   */
  #mayBeLeased(recordings: readonly Recording[], database: Database): ReadonlyMap<string, string> {
    const room = database.hearsOfCommit ? this.handover.room() : 0;
    if (room === 0 || recordings.some((recording) => recording.deliveries.some(({ partCount }) => partCount > 1)))
      return new Map();
    const free = recordings.flatMap(({ sinks, deliveries }) =>
      deliveries.filter(({ dataSourceId: sink }) => {
        const isFull = this.handover.inFlightOf(sink) >= this.#limits.inFlightPerSink;
        return !isFull && isFree(sinks.find(({ id }) => id === sink));
      }),
    );
    return free.length > room ? new Map() : new Map(free.map(({ id }) => [id, this.worker.newLeaseToken()]));
  }

  /** They are committed: what is leased goes to the worker of this process, the others are for whoever claims them. */
  #passOn(
    recordings: readonly Recording[],
    made: readonly (Pick<MadeDelivery, 'id'> & Partial<MadeDelivery>)[],
    tokens: ReadonlyMap<string, string>,
  ): void {
    failpoint('after-committed');
    const leased = new Set(made.flatMap(({ id, leased }) => (leased ? id : [])));
    if (leased.size > 0) {
      const claimed = recordings.flatMap((recording) => toClaimed(recording, leased, tokens));
      if (!this.handover.take(claimed)) void this.#giveBack(claimed);
    }
    if (leased.size < made.length) this.wakeup.notify();
    failpoint('after-woken');
  }

  /** The worker has stopped since they were recorded. Where this fails too, their leases run out. */
  async #giveBack(claimed: readonly ClaimedDelivery[]): Promise<void> {
    const releases = claimed.map(({ id, leaseToken }) => ({ id, leaseToken, waitMs: 0, ownFailure: false }));
    await releaseDeliveries(this.database, releases).catch(() => undefined);
    this.wakeup.notify();
  }

  /** One, or one per part of the job. */
  #newDeliveries(completion: NumberedCompletion, sink: DataSink, retriesAllowed: number): NewDelivery[] {
    const { jobId, run, workspaceId, agentId, stats } = completion;
    return recipesFor(sink.format, sink.config, stats.total).map((recipe, i, { length: partCount }) => ({
      id: this.newId('delivery'),
      dataSourceId: sink.id,
      jobId,
      run,
      workspaceId,
      agentId,
      format: sink.format,
      retriesAllowed,
      recipe: recipeName(recipe),
      part: i + 1,
      partCount,
    }));
  }

  /**
   * Creates the delivery of a manual push, or those of its parts. The auto-push rule does not apply.
   * @returns the id of the delivery or of its first part; null when this sink already has one for this job and run
   */
  async recordManual(event: JobCompleted, sink: DataSink, agent: Agent): Promise<string | null> {
    const completion = toCompletion(event, false);
    const deliveries = this.#newDeliveries(completion, sink, retriesOf(agent));
    const made = new Set(await recordCompletions(this.database, 'MANUAL', [completion], deliveries));
    const [first] = deliveries;
    if (!first || !made.has(first.id)) return null;
    this.#wakeAll();
    return first.id;
  }

  #wakeAll(): void {
    failpoint('after-committed');
    this.wakeup.notify();
    failpoint('after-woken');
  }
}

/** The number of retries is fixed when the delivery is created (contract, section 7). */
function retriesOf(agent: Agent | undefined): number {
  return agent ? rulesInForce(agent).retryFailedPush : 0;
}

function wantsPushes(agent: Agent | undefined): boolean {
  return agent?.active === true && rulesInForce(agent).autoPushOnJobComplete;
}
