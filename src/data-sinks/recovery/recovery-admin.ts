import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import type { DataSink } from '../domain/data-sink.js';
import { ProblemError } from '../domain/errors.js';
import { type IdFactory, isId } from '../domain/ids.js';
import type { Recovery } from '../domain/recovery.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { cancelRecovery } from './recovery-pacer.sql.js';
import type { RecoverySurvey } from '../domain/recovery.js';
import { RecoveryRepository, type RecoveryScope } from './recovery.repository.js';
import type { Agent } from '../ports/agent-directory.js';
import { requireActive } from '../sinks/require-active.js';
import { invalid } from '../domain/invalid-request.js';
import type { RequestCaller } from '../ports/workspace-access.js';

/** Which failures: from `since` to before `until`, which is at most the present. */
export interface RecoverySpan {
  readonly since: Date;
  readonly until?: Date | undefined;
}

/** Manual recoveries: redeliver everything that failed for a sink in a period, each delivery under its own id. */
@Injectable()
export class RecoveryAdmin {
  constructor(
    private readonly recoveries: RecoveryRepository,
    private readonly database: Database,
    private readonly audit: Audit,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /**
   * Previews a recovery with one statement that reads no more rows than a recovery may have.
   * @param prefix `/` for a body, `?` for a query
   * @throws ProblemError `validation-failed`, `recovery-too-far-back`, `recovery-too-large`
   */
  async survey(sink: DataSink, span: RecoverySpan, prefix: '/' | '?'): Promise<RecoverySurvey> {
    const { recoverAtMost } = this.options;
    const survey = await this.recoveries.survey(scopeOf(sink), span, recoverAtMost);
    this.#requireBounds(span, survey, prefix);
    return survey;
  }

  /**
   * Starts a recovery; workers make its deliveries due a few at a time.
   * @throws ProblemError `agent-inactive`, `sink-inactive`, `recovery-running`, and those of a survey
   */
  async start(caller: RequestCaller, agent: Agent, sink: DataSink, span: RecoverySpan): Promise<Recovery> {
    requireActive(agent.active, sink);
    const { until, failed: total, runningId } = await this.survey(sink, span, '/');
    if (runningId !== null) throw running(runningId);
    const { workspaceId, agentId, id: dataSourceId } = sink;
    const { since } = span;
    const id = this.newId('recovery');
    const recovery = { id, workspaceId, agentId, dataSourceId, since, until, total, requestedBy: caller.actor };
    const started = await this.database.transaction(async (transaction) => {
      if (!(await this.recoveries.start(recovery, transaction))) return false;
      const details = { recoveryId: id, since, until, deliveries: total };
      await this.audit.record(byCaller('RECOVERY_REQUESTED', caller, sink, details), transaction);
      return true;
    });
    // A concurrent request started one: the next survey finds it, unless it has already finished.
    return started ? this.find(sink, id) : this.start(caller, agent, sink, span);
  }

  /** Cancels a recovery. One that is not running is unchanged. */
  async cancel(caller: RequestCaller, sink: DataSink, recoveryId: string): Promise<Recovery> {
    const { id } = await this.find(sink, recoveryId);
    await this.database.transaction(async (transaction) => {
      const reason = 'requested';
      if (!(await cancelRecovery(transaction, id, reason))) return;
      const details = { recoveryId: id, reason };
      await this.audit.record(byCaller('RECOVERY_CANCELLED', caller, sink, details), transaction);
    });
    return this.find(sink, id);
  }

  /** @throws ProblemError `not-found` */
  async find(sink: DataSink, recoveryId: string): Promise<Recovery> {
    const found = isId('recovery', recoveryId) ? await this.recoveries.find(scopeOf(sink), recoveryId) : null;
    if (found) return found;
    throw new ProblemError('not-found', 'This data source has no such recovery.');
  }

  #requireBounds({ since, until }: RecoverySpan, survey: RecoverySurvey, prefix: '/' | '?'): void {
    const { recoverWithinMs, recoverAtMost } = this.options;
    if (since > survey.now) throw invalid([{ pointer: `${prefix}since`, detail: 'must not be in the future' }]);
    if (until && until <= since) throw invalid([{ pointer: `${prefix}until`, detail: 'must be later than since' }]);
    const earliest = new Date(survey.now.getTime() - recoverWithinMs);
    if (since < earliest) {
      throw new ProblemError(
        'recovery-too-far-back',
        `A recovery can go back at most ${inHours(recoverWithinMs)} hours: since must be ${earliest.toISOString()} or later.` +
          ' Redeliver earlier failures one by one.',
        {
          errors: [{ pointer: `${prefix}since`, detail: `must be ${earliest.toISOString()} or later` }],
          members: { recoverWithinMs, earliestSince: earliest.toISOString() },
        },
      );
    }
    if (survey.failed > recoverAtMost) throw tooLarge(since, survey, recoverAtMost, prefix);
  }
}

function scopeOf({ workspaceId, id: dataSourceId }: DataSink): RecoveryScope {
  return { workspaceId, dataSourceId };
}

function running(recoveryId: string): ProblemError {
  return new ProblemError(
    'recovery-running',
    'A sink has one recovery at a time. Wait until this one is done, or cancel it.',
    { members: { recoveryId } },
  );
}

/** Suggests a narrower period: a time before which the number of failures is within the limit. */
function tooLarge(
  since: Date,
  { limitReachedAt }: RecoverySurvey,
  recoverAtMost: number,
  prefix: '/' | '?',
): ProblemError {
  const bound = `More than ${recoverAtMost} deliveries failed in this time, and a recovery has no more.`;
  if (!limitReachedAt || limitReachedAt <= since) {
    return new ProblemError(
      'recovery-too-large',
      `${bound} They all failed at the same time: redeliver them one by one.`,
      {
        members: { recoverAtMost },
      },
    );
  }
  const until = limitReachedAt.toISOString();
  return new ProblemError(
    'recovery-too-large',
    `${bound} First recover those that failed before ${until} (set until), then the others (set since).`,
    {
      errors: [{ pointer: `${prefix}until`, detail: `must be ${until} or earlier` }],
      members: { recoverAtMost, until },
    },
  );
}

function inHours(ms: number): number {
  return Math.round(ms / 36_000) / 100;
}
