import { Injectable } from '@nestjs/common';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import type { DeliveryReason } from '../domain/delivery.js';
import { failpoint } from '../tools/failpoint.js';
import { isLastOfSeveral, partOf } from '../domain/body/payload-recipe.js';
import { Database } from '../database/database.js';
import {
  endWaitingParts,
  failLastParts,
  listWaitingLastParts,
  othersOf,
  type PartsKey,
  releaseLastParts,
} from './delivery-parts.sql.js';
import type { EndedPush } from '../queue/push-row.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import { DeliveryEnds } from './delivery-ends.js';
import { EventLog } from '../tools/event-log.js';

/** The last part waits until the others are delivered; nothing can be sent yet. */
export class PartsUnderWayError extends Error {
  readonly code = 'parts_under_way';
  override readonly name = 'PartsUnderWayError';
}

/** Another part has ended without being delivered. */
export class PartsIncompleteError extends Error {
  readonly code = 'parts_incomplete';
  override readonly name = 'PartsIncompleteError';
}

/** How a delivery ended. */
export interface SettledPart {
  readonly delivery: Pick<ClaimedDelivery, 'id' | 'workspaceId' | 'dataSourceId' | 'jobId' | 'run' | 'recipe'>;
  readonly delivered: boolean;
}

/** Last parts checked per sweep: thousands may wait behind a disabled sink. */
const REPAIRED_AT_ONCE = 200;

/**
 * Keeps the parts of a job in order: the last is due when all others are delivered, and fails when one of them has
 * failed. Runs right after a delivery settled; the sweep finds what a crash left undone. Jobs pushed as one body cost
 * nothing here.
 */
@Injectable()
export class DeliveryParts {
  readonly #logger = new EventLog();
  #repairedUpTo = '';

  constructor(
    private readonly database: Database,
    private readonly wakeup: Wakeup,
    private readonly ends: DeliveryEnds,
  ) {}

  /**
   * Checked before a last part is sent: a redelivery may have made it due.
   * @throws PartsUnderWayError, PartsIncompleteError
   */
  async requireOthers({
    id,
    workspaceId,
    recipe,
  }: Pick<ClaimedDelivery, 'id' | 'workspaceId' | 'recipe'>): Promise<void> {
    if (!isLastOfSeveral(partOf(recipe))) return;
    const others = await othersOf(this.database, { workspaceId, id });
    if (others === 'under_way') throw new PartsUnderWayError(`other parts than ${id} are still under way`);
    if (others === 'undelivered') throw new PartsIncompleteError(`another part than ${id} was not delivered`);
  }

  /** Updates the last parts of settled deliveries. Never throws: the sweep retries what fails. */
  async settled(ends: readonly SettledPart[]): Promise<void> {
    const delivered = ends.filter((end) => end.delivered).flatMap(({ delivery }) => keyOf(delivery));
    const others = ends
      .filter((end) => !end.delivered)
      .flatMap(({ delivery }) => (keyOf(delivery)[0] ? delivery.id : []));
    if (delivered.length > 0) failpoint('before-last-part');
    await this.#quietly(() => this.#follow(delivered, others));
  }

  /** Fails the waiting parts of a job that cannot be built, without reading its rows again. Never throws. */
  async unmakeable(delivery: SettledPart['delivery'], reason: DeliveryReason): Promise<void> {
    const keys = keyOf(delivery);
    if (keys.length === 0) return;
    await this.#quietly(async () => this.#tellFailed(await endWaitingParts(this.database, keys, reason), reason));
  }

  /** Checks a page of waiting last parts; the next call checks the next page. @throws when the database fails */
  async repair(): Promise<void> {
    const waiting = await listWaitingLastParts(this.database, this.#repairedUpTo, REPAIRED_AT_ONCE);
    this.#repairedUpTo = (waiting.length === REPAIRED_AT_ONCE && waiting.at(-1)?.id) || '';
    await this.#follow(
      waiting.filter(({ missingId }) => missingId === null),
      waiting.flatMap(({ undeliveredId }) => undeliveredId ?? []),
    );
  }

  async #follow(delivered: readonly PartsKey[], undeliveredIds: readonly string[]): Promise<void> {
    if (delivered.length > 0 && (await releaseLastParts(this.database, delivered)) > 0) this.wakeup.notify();
    if (undeliveredIds.length === 0) return;
    this.#tellFailed(await failLastParts(this.database, undeliveredIds), 'parts_incomplete');
  }

  #tellFailed(failed: readonly EndedPush[], reason: DeliveryReason): void {
    this.ends.tell(
      failed.map(({ sinkType, ...push }) => ({
        ...{ push, sinkType },
        status: 'FAILED',
        reason: isLastOfSeveral(push.part) ? 'parts_incomplete' : reason,
        attempt: null,
      })),
    );
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.error({
        event: 'parts.left_to_sweeper',
        message: 'what follows for the other parts of a job could not be recorded; the sweep does it',
        error: String(error),
      });
    }
  }
}

/** None for a delivery of a job that is pushed as one body. */
function keyOf({ workspaceId, dataSourceId, jobId, run, recipe }: SettledPart['delivery']): PartsKey[] {
  const part = partOf(recipe);
  return part && part.of > 1 ? [{ workspaceId, dataSourceId, jobId, run, of: part.of }] : [];
}
