import { Inject, Injectable } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import { ProblemError } from '../core/errors.js';
import { type IdFactory, isId } from '../core/ids.js';
import type { Recovery } from '../core/recovery.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { cancelRecovery } from '../persistence/recovery-pacing.js';
import { RecoveryRepository, type RecoveryScope, type RecoverySurvey } from '../persistence/recovery.repository.js';
import { Transactions } from '../persistence/transactions.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import type { Agent } from '../ports/agent-directory.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { requireActive } from './require-active.js';
import { invalid } from './request-validation.pipe.js';
import { auditEntry } from './audit-entry.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** Of which failures: from `since` to before `until`, at most the present. */
export interface RecoverySpan {
  readonly since: Date;
  readonly until?: Date | undefined;
}

/** Recoveries by hand: one more try for all deliveries of a sink that failed within a time, each under its own id. */
@Injectable()
export class RecoveryAdmin {
  constructor(
    private readonly recoveries: RecoveryRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditTrail,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /**
   * What a recovery would find; one statement, that reads no more than a recovery may have.
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
   * Begins a recovery; workers make its deliveries due a few at a time.
   * @throws ProblemError `agent-inactive`, `sink-inactive`, `recovery-running`, and what a survey throws
   */
  async start(caller: RequestCaller, agent: Agent, sink: DataSink, span: RecoverySpan): Promise<Recovery> {
    requireActive(agent.active, sink);
    const { until, failed: total, runningId } = await this.survey(sink, span, '/');
    if (runningId !== null) throw running(runningId);
    const { workspaceId, agentId, id: dataSourceId } = sink;
    const { since } = span;
    const id = this.newId('recovery');
    const recovery = { id, workspaceId, agentId, dataSourceId, since, until, total, requestedBy: caller.actor };
    const started = await this.transactions.run(async (transaction) => {
      if (!(await this.recoveries.start(recovery, transaction))) return false;
      const details = { recoveryId: id, since, until, deliveries: total };
      const entry = auditEntry('RECOVERY_REQUESTED', caller, sink, details);
      await within(this.audit.record([entry], transaction), PORT_WITHIN_MS, 'the audit trail');
      return true;
    });
    // Somebody was quicker: the next survey finds theirs, unless it has finished by then.
    return started ? this.find(sink, id) : this.start(caller, agent, sink, span);
  }

  /** Ends the making due. One that is not running stays as it is. */
  async cancel(caller: RequestCaller, sink: DataSink, recoveryId: string): Promise<Recovery> {
    const { id } = await this.find(sink, recoveryId);
    await this.transactions.run(async (transaction) => {
      const reason = 'requested';
      if (!(await cancelRecovery(transaction, id, reason))) return;
      const details = { recoveryId: id, reason };
      const entry = auditEntry('RECOVERY_CANCELLED', caller, sink, details);
      await within(this.audit.record([entry], transaction), PORT_WITHIN_MS, 'the audit trail');
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
        `A recovery goes back ${inHours(recoverWithinMs)} hours at most: since may be ${earliest.toISOString()} or later.` +
          ' Redeliver what failed before that one by one.',
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

/** Says how to narrow it: a time before which no more failed than there may be. */
function tooLarge(
  since: Date,
  { limitReachedAt }: RecoverySurvey,
  recoverAtMost: number,
  prefix: '/' | '?',
): ProblemError {
  const bound = `More than ${recoverAtMost} deliveries failed in this time, and a recovery has no more.`;
  if (!limitReachedAt || limitReachedAt <= since) {
    return new ProblemError('recovery-too-large', `${bound} They failed at one moment: redeliver them one by one.`, {
      members: { recoverAtMost },
    });
  }
  const until = limitReachedAt.toISOString();
  return new ProblemError(
    'recovery-too-large',
    `${bound} Recover those first that failed before ${until}, with until; when that is done, the others, with since.`,
    {
      errors: [{ pointer: `${prefix}until`, detail: `must be ${until} or earlier` }],
      members: { recoverAtMost, until },
    },
  );
}

function inHours(ms: number): number {
  return Math.round(ms / 36_000) / 100;
}
