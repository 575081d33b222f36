import { Injectable } from '@nestjs/common';
import { partText } from '../domain/body/payload-recipe.js';
import type { SettledStatus } from '../domain/delivery.js';
import type { DataSinkPushEvent } from '../domain/domain-events.js';
import { Database } from '../database/database.js';
import { Audit, byModule } from '../database/audit/audit.js';
import type { AuditAction, AuditEntry } from '../ports/audit-trail.js';
import type { Outage } from '../telemetry/outage.js';
import { Outages } from '../telemetry/outages.js';
import { failpoint } from '../tools/failpoint.js';
import { inOwnContext } from '../tools/own-context.js';
import { type AuditedEnd, type EndingAttempt, giveBackEnds, removeEnds, takeEnds } from './audit-outbox.sql.js';

/** Ends within so long are written together: each batch is a commit of its own, and takes the heads of its chains once. */
const TOGETHER_MS = 1_000;
const AT_ONCE = 500;
/** Longer than a trail may take to answer. */
const TAKEN_MS = 30_000;

/**
 * Writes what the outbox holds into the audit trail: one entry for each delivery that ended (contract, section 8). Away
 * from the path of a delivery, whose statements lock no workspace's chain. What a crash leaves, and what a trail that was
 * away has not taken, the next look takes, of whichever process.
 */
@Injectable()
export class AuditOutbox {
  readonly #outage: Outage;
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    outages: Outages,
  ) {
    this.#outage = outages.of('audit');
  }

  /** Deliveries have ended: in a moment their entries are written, with those of others. */
  notify(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = inOwnContext(() =>
      setTimeout(() => {
        this.#timer = null;
        // A pass that is under way may not have seen what ended since.
        void this.#afterPass().catch(() => undefined);
      }, TOGETHER_MS).unref(),
    );
  }

  /** Writes all that waits now; a pass that is under way is waited for. @throws what the database or the trail throws */
  async pass(): Promise<void> {
    this.#underWay ??= this.#passOn().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  /** The last ends of a process that stops. Never throws: others go on with what is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#afterPass().catch(() => undefined);
  }

  async #afterPass(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
    await this.pass();
  }

  async #passOn(): Promise<void> {
    try {
      for (;;) {
        const ends = await takeEnds(this.database, AT_ONCE, TAKEN_MS);
        if (ends.length > 0) await this.#record(ends);
        if (ends.length < AT_ONCE) break;
      }
      this.#outage.over();
    } catch (error) {
      this.#outage.report(error);
      throw error;
    }
  }

  async #record(ends: readonly AuditedEnd[]): Promise<void> {
    try {
      await this.audit.record(ends.map(toAuditEntry));
    } catch (error) {
      await giveBackEnds(this.database, ends).catch(() => undefined);
      throw error;
    }
    failpoint('after-audited');
    await removeEnds(this.database, ends);
  }
}

const ACTIONS = {
  DELIVERED: 'AGENT_RESULTS_PUSHED',
  FAILED: 'AGENT_RESULTS_PUSH_FAILED',
  CANCELLED: 'AGENT_RESULTS_PUSH_CANCELLED',
} as const satisfies Record<SettledStatus, AuditAction>;

function toAuditEntry({ auditId: id, push, status, reason, attempt }: AuditedEnd): AuditEntry {
  const { jobId, trigger, attempts } = push;
  const details = {
    ...{ jobId, trigger, ...partFieldOf(push), attempts },
    ...(reason !== null && { reason }),
    ...codesOf(attempt),
  };
  return { id, ...byModule(ACTIONS[status], push, details) };
}

/** For log lines and entries. */
export function partFieldOf({ part }: DataSinkPushEvent): { readonly part?: string } {
  return part ? { part: partText(part) } : {};
}

/** For log lines and entries: what there is of them. */
export function codesOf(attempt: EndingAttempt | null): Partial<EndingAttempt> {
  if (!attempt) return {};
  const { status, httpStatus, errorCode } = attempt;
  return { status, ...(httpStatus !== null && { httpStatus }), ...(errorCode !== null && { errorCode }) };
}
