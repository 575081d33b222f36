import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { clearLeftover, type LeftBehind, listLeftovers } from '../delivery/leftovers.sql.js';
import { Destinations } from '../destinations/destinations.js';
import type { DataSink } from '../domain/data-sink.js';
import type { StopSignal } from '../tools/cancellation.js';
import { EventLog } from '../tools/event-log.js';
import { within } from '../tools/within.js';
import { SecretsInForce } from '../vault/secrets-in-force.js';
import { DataSinkRepository } from './data-sink.repository.js';

/** Of one sweep: what is over it waits for the next. */
const AT_ONCE = 50;
/** Whoever deletes a sink waits no longer for what its attempts left behind. */
const BEFORE_DELETION_MS = 10_000;

/** Removes what attempts that were interrupted left behind at their destinations, such as uploads that nobody completes. */
@Injectable()
export class LeftBehindCleaner {
  readonly #logger = new EventLog();
  /** The next sweep goes on behind what could not be removed, and begins anew at the end. */
  #after = '';

  constructor(
    private readonly database: Database,
    private readonly sinks: DataSinkRepository,
    private readonly destinations: Destinations,
    private readonly secrets: SecretsInForce,
  ) {}

  /** What could be removed. What could not is found by the next sweep, of any process. */
  async sweep(stop?: StopSignal): Promise<void> {
    const found = await listLeftovers(this.database, null, this.#after, AT_ONCE);
    this.#after = found.length < AT_ONCE ? '' : (found.at(-1)?.attemptId ?? '');
    for (const left of found) {
      if (stop?.aborted) return;
      const sink = await this.sinks.find(left, left.dataSourceId);
      if (sink) await this.#remove(left, sink);
    }
  }

  /** Before a sink or its secret goes: without them nobody can. Waits for a while, and never throws. */
  async before(sink: DataSink): Promise<void> {
    await within(this.#allOf(sink), BEFORE_DELETION_MS, 'the destination').catch(() => undefined);
  }

  async #allOf(sink: DataSink): Promise<void> {
    try {
      const found = await listLeftovers(this.database, sink.id, '', AT_ONCE);
      await Promise.all(found.map((left) => this.#remove(left, sink)));
    } catch (error) {
      this.#logger.error({
        event: 'leftover.not_looked_for',
        message: `what attempts of data sink ${sink.id} left behind could not be looked for`,
        ...{ dataSourceId: sink.id, error: String(error) },
      });
    }
  }

  async #remove({ attemptId, startedAt, leftover }: LeftBehind, sink: DataSink): Promise<void> {
    if (!this.destinations.has(sink.type)) return;
    const destination = this.destinations.ofSink(sink.type);
    const about = { attemptId, dataSourceId: sink.id, workspaceId: sink.workspaceId };
    try {
      const secret = { secretId: sink.secret.id, workspaceId: sink.workspaceId };
      const secrets = await this.secrets.open({ secret, previousSecret: null });
      const of = { workspaceId: sink.workspaceId, dataSourceId: sink.id };
      if (!((await destination.cleanUp?.(leftover, sink.config, secrets, of)) ?? true)) return;
      await clearLeftover(this.database, { attemptId, startedAt });
      this.#logger.log({
        event: 'leftover.removed',
        message: `what attempt ${attemptId} left behind at its destination was removed`,
        ...about,
      });
    } catch (error) {
      this.#logger.warn({
        event: 'leftover.not_removed',
        message: `what attempt ${attemptId} left behind at its destination could not be removed; the sweep tries again`,
        ...{ ...about, error: String(error) },
      });
    }
  }
}
