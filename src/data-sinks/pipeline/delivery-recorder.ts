import type { DataSink } from '../core/data-sink.js';
import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import { invalidJobCompleted, type JobCompleted } from '../core/job-completed.js';
import { NaturalBatcher } from '../core/natural-batcher.js';
import { recipeName, recipesFor } from '../core/payload-recipe.js';
import { acceptTraceContext, type TraceContext } from '../core/trace-context.js';
import type { CommitWatch } from '../persistence/commit-watch.js';
import { type NewDelivery, type NumberedCompletion, recordCompletions } from '../persistence/completion-recording.js';
import type { DataSinkRepository } from '../persistence/data-sink.repository.js';
import type { Database, Session } from '../persistence/database.js';
import type { Agent, AgentDirectory } from '../ports/agent-directory.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import { rulesInForce } from './delivery-gate.js';
import { settleEach, valueOf } from './settle-each.js';
import { within } from './within.js';

/** So long the gate waits for the same port by default: whoever completes a job may have nothing to fall back on. */
const AGENTS_WITHIN_MS = 30_000;

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
    this.#batcher = new NaturalBatcher((completions) => settleEach(completions, (some) => this.#record(some)));
  }

  /**
   * Records a completion. Without a transaction of the caller's, completions that arrive together are written together.
   * @returns how many deliveries were made; 0 when no sink wants it or it was recorded before
   * @throws TypeError when the event is not a completion; what the port throws; what the database throws
   */
  async record(event: JobCompleted, transaction?: Session): Promise<number> {
    // Now, in the caller's own context: later a batch of many is written in anybody's.
    const completion = toCompletion(event, false, this.#activeTrace());
    if (!transaction) return valueOf(await this.#batcher.add(completion));
    const [made] = await this.#record([completion], transaction);
    return made ?? 0;
  }

  /**
   * Records a completion that was found long after. Sinks that are younger than it do not want it: nobody who adds a sink
   * today expects yesterday's job to leave the house.
   */
  async recordMissed(event: JobCompleted): Promise<number> {
    return valueOf(await this.#batcher.add(toCompletion(event, true)));
  }

  async #record(completions: readonly Completion[], transaction?: Session): Promise<number[]> {
    const agentIds = [...new Set(completions.map((c) => c.agentId))];
    const asked = this.#agents.findAgents(agentIds, transaction);
    const found = await within(asked, AGENTS_WITHIN_MS, 'the agent directory');
    const agents = new Map(found.map((agent) => [agent.id, agent]));
    const sinks = await this.#sinks.listWanting(
      agentIds.filter((id) => wantsPushes(agents.get(id))),
      transaction,
    );

    const deliveries = completions.map((completion) => {
      const retriesAllowed = retriesOf(agents.get(completion.agentId));
      return sinks
        .filter((sink) => wants(sink, completion))
        .flatMap((sink) => this.#newDeliveries(completion, sink, retriesAllowed));
    });
    const made = new Set(await recordCompletions(transaction ?? this.#session, 'AUTO', completions, deliveries.flat()));
    failpoint('after-recorded');
    if (made.size > 0) this.#commits.afterCommit(transaction, () => this.#wakeAll());
    return deliveries.map((ofOne) => ofOne.filter(({ id }) => made.has(id)).length);
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

type Completion = NumberedCompletion & { readonly missed: boolean };

/** @param activeTrace none where whoever asks is not who completed the job */
function toCompletion(event: JobCompleted, missed: boolean, activeTrace: TraceContext | null = null): Completion {
  const problem = invalidJobCompleted(event);
  if (problem !== null) throw new TypeError(`JobCompleted: ${problem}`);
  const traceContext = event.traceContext === undefined ? activeTrace : acceptTraceContext(event.traceContext);
  return { ...event, run: event.run ?? 1, missed, traceContext: traceContext ?? undefined };
}

function wants(sink: DataSink, completion: Completion): boolean {
  return (
    sink.agentId === completion.agentId &&
    sink.workspaceId === completion.workspaceId &&
    (!completion.missed || sink.createdAt <= completion.completedAt)
  );
}

/** The count in force is the one at the time the delivery is made (contract, section 7). */
function retriesOf(agent: Agent | undefined): number {
  return agent ? rulesInForce(agent).retryFailedPush : 0;
}

function wantsPushes(agent: Agent | undefined): boolean {
  return agent?.active === true && rulesInForce(agent).autoPushOnJobComplete;
}
