import type { DataSink } from '../core/data-sink.js';
import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import type { JobCompleted } from '../core/job-completed.js';
import { NaturalBatcher } from '../core/natural-batcher.js';
import { recipeName, recipesFor } from '../core/payload-recipe.js';
import { slicesOf } from '../core/slices.js';
import type { TraceContext } from '../core/trace-context.js';
import type { CommitWatch } from '../persistence/commit-watch.js';
import { type NewDelivery, type NumberedCompletion, recordCompletions } from '../persistence/completion-recording.js';
import type { DataSinkRepository } from '../persistence/data-sink.repository.js';
import type { Database, Session } from '../persistence/database.js';
import { isRefusedData } from '../persistence/refused-data.js';
import type { Agent, AgentDirectory } from '../ports/agent-directory.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import { type Completion, type Recording, toCompletion, type WantedCompletion, wants } from './completion.js';
import { CompletionRefusedError } from './completion-refused.error.js';
import { rulesInForce } from './delivery-gate.js';
import { settleEach, settleSlices, valueOf } from './settle-each.js';
import { within } from './within.js';

/** So long the gate waits for the same port by default: whoever completes a job may have nothing to fall back on. */
const AGENTS_WITHIN_MS = 30_000;

/** One statement writes so many: making them takes less than a tenth of a second, for which all else waits (measured). */
const DELIVERIES_AT_ONCE = 5_000;

/** Step 2: makes one delivery per wanting sink of a completed job, or per part. The rows are the outbox; everything else follows. */
export class DeliveryRecorder {
  readonly #session: Database;
  readonly #sinks: DataSinkRepository;
  readonly #agents: AgentDirectory;
  readonly #wakeup: Wakeup;
  readonly #commits: CommitWatch;
  readonly #newId: IdFactory;
  readonly #activeTrace: () => TraceContext | null;
  readonly #batcher: NaturalBatcher<Completion, PromiseSettledResult<number>>;

  /** @param activeTrace the trace in which the caller is, for completions that name none */
  constructor(
    session: Database,
    sinks: DataSinkRepository,
    agents: AgentDirectory,
    wakeup: Wakeup,
    commits: CommitWatch,
    newId: IdFactory,
    activeTrace: () => TraceContext | null,
  ) {
    this.#session = session;
    this.#sinks = sinks;
    this.#agents = agents;
    this.#wakeup = wakeup;
    this.#commits = commits;
    this.#newId = newId;
    this.#activeTrace = activeTrace;
    this.#batcher = new NaturalBatcher((completions) => this.#recordTogether(completions));
  }

  /**
   * Records a completion. Without a transaction of the caller's, completions that arrive together are written together.
   * @returns how many deliveries were made; 0 when no sink wants it or it was recorded before
   * @throws TypeError when the event is not a completion; what the port throws; what the database throws;
   *   without a transaction CompletionRefusedError when it never takes this completion
   */
  async record(event: JobCompleted, transaction?: Session): Promise<number> {
    // Now, in the caller's own context: later a batch of many is written in anybody's.
    const completion = toCompletion(event, false, this.#activeTrace());
    if (!transaction) return valueOf(await this.#batcher.add(completion));
    const wanted = await this.#whoWants([completion], transaction);
    const recordings = wanted.map((one) => this.#recordingOf(one));
    const [made = 0] = await this.#write(recordings, transaction);
    return made;
  }

  /**
   * Records a completion that was found long after. Sinks that are younger than it do not want it: nobody who adds a sink
   * today expects yesterday's job to leave the house.
   * @throws as `record`
   */
  async recordMissed(event: JobCompleted): Promise<number> {
    return valueOf(await this.#batcher.add(toCompletion(event, true)));
  }

  /**
   * Completions that arrived together. Each ends for itself: what is wrong with one is not held against the others.
   * Slice by slice, so that a burst of large jobs in parts is no single statement that everything else waits for.
   */
  async #recordTogether(completions: readonly Completion[]): Promise<PromiseSettledResult<number>[]> {
    const asked = await settleEach(completions, (some) => this.#whoWants(some));
    const wanted = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const slices = slicesOf(
      wanted,
      DELIVERIES_AT_ONCE,
      (one) => this.#recordingOf(one),
      (one) => one.deliveries.length,
    );
    const made = await settleSlices(slices, (slice) => this.#writeOrRefuse(slice));
    let next = 0;
    return asked.map((one) => (one.status === 'fulfilled' ? (made[next++] as PromiseSettledResult<number>) : one));
  }

  /** Who is to have each of some completions, by the host's word of now. */
  async #whoWants(completions: readonly Completion[], transaction?: Session): Promise<WantedCompletion[]> {
    const agentIds = [...new Set(completions.map((c) => c.agentId))];
    const asked = this.#agents.findAgents(agentIds, transaction);
    const found = await within(asked, AGENTS_WITHIN_MS, 'the agent directory');
    const agents = new Map(found.map((agent) => [agent.id, agent]));
    const sinks = await this.#sinks.listWanting(
      agentIds.filter((id) => wantsPushes(agents.get(id))),
      transaction,
    );
    return completions.map((completion) => ({
      completion,
      sinks: sinks.filter((sink) => wants(sink, completion)),
      retriesAllowed: retriesOf(agents.get(completion.agentId)),
    }));
  }

  #recordingOf({ completion, sinks, retriesAllowed }: WantedCompletion): Recording {
    return { completion, deliveries: sinks.flatMap((sink) => this.#newDeliveries(completion, sink, retriesAllowed)) };
  }

  /**
   * Here alone the database judges the completion. The host's ports have databases of their own, whose errors have the same
   * codes; and what it says to several is true of one of them.
   */
  async #writeOrRefuse(slice: readonly Recording[]): Promise<number[]> {
    try {
      return await this.#write(slice);
    } catch (error) {
      throw slice.length === 1 && isRefusedData(error) ? new CompletionRefusedError(error) : error;
    }
  }

  /** @returns how many deliveries were made of each */
  async #write(recordings: readonly Recording[], transaction?: Session): Promise<number[]> {
    const ids = await recordCompletions(
      transaction ?? this.#session,
      'AUTO',
      recordings.map(({ completion }) => completion),
      recordings.flatMap(({ deliveries }) => deliveries),
    );
    failpoint('after-recorded');
    if (ids.length > 0) this.#commits.afterCommit(transaction, () => this.#wakeAll());
    const made = new Set(ids);
    return recordings.map(({ deliveries }) => deliveries.filter(({ id }) => made.has(id)).length);
  }

  /** One, or one per part of the job. */
  #newDeliveries(completion: NumberedCompletion, sink: DataSink, retriesAllowed: number): NewDelivery[] {
    const { jobId, run, workspaceId, agentId, stats } = completion;
    return recipesFor(sink.format, sink.config, stats.total).map((recipe, i, { length: partCount }) => ({
      id: this.#newId('delivery'),
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
   * Makes the delivery of a finished job by hand, or those of its parts. It is not bound by the auto-push rule.
   * @returns the delivery's id, that of the first part, or null when this sink has one of this job and run already
   */
  async recordManual(event: JobCompleted, sink: DataSink, agent: Agent): Promise<string | null> {
    const completion = toCompletion(event, false);
    const deliveries = this.#newDeliveries(completion, sink, retriesOf(agent));
    const made = new Set(await recordCompletions(this.#session, 'MANUAL', [completion], deliveries));
    const [first] = deliveries;
    if (!first || !made.has(first.id)) return null;
    this.#wakeAll();
    return first.id;
  }

  #wakeAll(): void {
    failpoint('after-committed');
    this.#wakeup.notify();
    failpoint('after-woken');
  }
}

/** The count in force is the one at the time the delivery is made (contract, section 7). */
function retriesOf(agent: Agent | undefined): number {
  return agent ? rulesInForce(agent).retryFailedPush : 0;
}

function wantsPushes(agent: Agent | undefined): boolean {
  return agent?.active === true && rulesInForce(agent).autoPushOnJobComplete;
}
