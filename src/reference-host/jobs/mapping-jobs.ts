import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataSource, QueryFailedError } from 'typeorm';
import { DataSinks, JOB_COMPLETED_EVENT, type JobCompleted, type MappingResultRow } from '../../data-sinks/index.js';
import type { HostAgent } from '../agents/agents.js';
import { HOST_ENVIRONMENT, type HostEnvironment } from '../environment.js';
import { HostProblem } from '../http/host-problem.js';
import { newId } from '../ids.js';
import type { RowBatches } from './incoming-rows.js';
import { type Completion, JobStore } from './job-store.js';

/**
 * Node aborts a request after 5 minutes, so an upload three times as old is dead, whichever host received it. The
 * embedded database has one process: any unfinished upload at startup is dead.
 */
const DEAD_AFTER_MINUTES = { postgres: 15, embedded: 0 };

export interface CompletedJob {
  readonly job: JobCompleted;
  /** False when this job was completed before with the same rows. */
  readonly created: boolean;
}

/** Stands in for the mapping engine: stores the rows of a completed job and completes it. */
@Injectable()
export class MappingJobs implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('MappingJobs');
  private cleaningUp: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly store: JobStore,
    private readonly dataSinks: DataSinks,
    private readonly events: EventEmitter2,
    @Inject(HOST_ENVIRONMENT) private readonly environment: Pick<HostEnvironment, 'databaseUrl'>,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const minutes = this.environment.databaseUrl === null ? DEAD_AFTER_MINUTES.embedded : DEAD_AFTER_MINUTES.postgres;
    const unfinished = await this.store.listUnfinished(minutes);
    // A large one takes a while, and nobody has to wait for it.
    this.cleaningUp = this.discardAll(unfinished);
  }

  /** The host takes the database away next. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.cleaningUp;
  }

  /** What is left, or fails, is found at the next start. */
  private async discardAll(unfinished: readonly string[]): Promise<void> {
    try {
      for (const number of unfinished) await this.store.discard(number, () => this.stopping);
      if (unfinished.length > 0) this.logger.log(`removed ${unfinished.length} uploads that never finished`);
    } catch (error) {
      this.logger.warn(`uploads that never finished could not be removed: ${String(error)}`);
    }
  }

  /**
   * Stores the rows as they arrive. Then completes the job and records its completion with the data sinks, in one short
   * transaction, and emits the event. If a row is invalid, nothing is kept.
   * @throws {HostProblem} `job-exists` when this workspace has a job with this id from another agent or with other rows
   */
  async complete(agent: HostAgent, jobId: string | null, batches: RowBatches): Promise<CompletedJob> {
    if (jobId !== null && (await this.store.findCompletedJob(agent.workspaceId, jobId)))
      return this.completeAgain(agent, jobId, await drain(batches));
    const ids = { jobId: jobId ?? newId('job'), agentId: agent.id, workspaceId: agent.workspaceId };
    const number = await this.store.open(ids);
    let received: Completion | null = null;
    try {
      received = await drain(batches, (first, batch) => this.store.append(number, first, batch));
      const { completedAt, total, matched } = received;
      const job: JobCompleted = { ...ids, completedAt, stats: { total, matched, unmatched: total - matched } };
      await this.finish(number, job, received);
      return { job, created: true };
    } catch (error) {
      await this.store.discard(number);
      if (received && isIdTaken(error)) return this.completeAgain(agent, ids.jobId, received);
      throw error;
    }
  }

  private async finish(number: string, job: JobCompleted, completion: Completion): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      await this.store.complete(transaction, number, completion);
      await this.dataSinks.recordJobCompleted(job, transaction);
    });
    // For other listeners. The data sinks already have it; the event is idempotent.
    this.events.emit(JOB_COMPLETED_EVENT, job);
  }

  /** Idempotent: completing a job again with the same rows, as a retrying client does, has no effect. */
  private async completeAgain(agent: HostAgent, jobId: string, received: Completion): Promise<CompletedJob> {
    const job = await this.store.findCompletedJob(agent.workspaceId, jobId);
    if (job?.agentId === agent.id && job.rowsSha256.equals(received.rowsSha256)) {
      const { rowsSha256: _, ...completed } = job;
      return { job: completed, created: false };
    }
    throw new HostProblem(
      'job-exists',
      `The id ${jobId} is taken by a job that finished with other rows. Leave jobId out, or take a new one.`,
    );
  }
}

type Store = (firstOrdinal: number, batch: readonly MappingResultRow[]) => Promise<void>;

/** Stores all rows and computes their count and digest. */
async function drain(batches: RowBatches, store?: Store): Promise<Completion> {
  const digest = createHash('sha256');
  let total = 0;
  let matched = 0;
  for await (const batch of batches) {
    await store?.(total, batch);
    // The embedded database runs synchronously on this thread; yield so that others can run.
    await nextTurn();
    total += batch.length;
    for (const row of batch) {
      if (row.referenceHotelId !== null) matched++;
      digest.update(JSON.stringify([row.partnerRowId, row.referenceHotelId, row.matchMethod, row.matchConfidence]));
    }
  }
  return { completedAt: new Date(), total, matched, rowsSha256: digest.digest() };
}

function isIdTaken(error: unknown): boolean {
  return error instanceof QueryFailedError && 'constraint' in error && error.constraint === 'uq_host_mapping_job_id';
}
