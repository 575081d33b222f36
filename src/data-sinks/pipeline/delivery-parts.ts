import { Logger } from '@nestjs/common';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DeliveryReason } from '../core/delivery.js';
import { failpoint } from '../core/failpoint.js';
import { DATA_SINK_EVENTS, type DataSinkPushEvent } from '../core/domain-events.js';
import { isLastOfSeveral, partOf } from '../core/payload-recipe.js';
import type { Session } from '../persistence/database.js';
import {
  endWaitingParts,
  failLastParts,
  listWaitingLastParts,
  othersOf,
  type PartsKey,
  releaseLastParts,
} from '../persistence/delivery-parts.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { DomainEvents } from './domain-events.js';

/** The last part waits until the others are delivered; until then there is nothing to send. */
export class PartsUnderWayError extends Error {
  readonly code = 'parts_under_way';
  override readonly name = 'PartsUnderWayError';
}

/** Another part has ended without being delivered. */
export class PartsIncompleteError extends Error {
  readonly code = 'parts_incomplete';
  override readonly name = 'PartsIncompleteError';
}

/** How a delivery has ended. */
export interface SettledPart {
  readonly delivery: Pick<ClaimedDelivery, 'id' | 'dataSourceId' | 'jobId' | 'run' | 'recipe'>;
  readonly delivered: boolean;
}

/** So many at each sweep: thousands may wait behind a sink that is disabled. */
const REPAIRED_AT_ONCE = 200;

/**
 * Keeps the parts of a job in their order: the last one is due once all others are delivered, and fails when one of them
 * has. What is settled is looked after right after it is on record; what a crash leaves undone is found by the sweep.
 * Deliveries of jobs in one piece cost nothing here.
 */
export class DeliveryParts {
  readonly #logger = new Logger('DataSinks');
  #repairedUpTo = '';

  constructor(
    private readonly session: Session,
    private readonly wakeup: Pick<Wakeup, 'notify'>,
    private readonly events: DomainEvents,
    private readonly telemetry: Pick<Telemetry, 'ended'>,
  ) {}

  /**
   * Asked before a last part is sent: it may have been made due by a redelivery.
   * @throws PartsUnderWayError, PartsIncompleteError
   */
  async requireOthers({ id, recipe }: Pick<ClaimedDelivery, 'id' | 'recipe'>): Promise<void> {
    if (!isLastOfSeveral(partOf(recipe))) return;
    const others = await othersOf(this.session, id);
    if (others === 'under_way') throw new PartsUnderWayError(`other parts than ${id} are still under way`);
    if (others === 'undelivered') throw new PartsIncompleteError(`another part than ${id} was not delivered`);
  }

  /** What follows for the last parts of their jobs. Never throws: what fails now is found by the sweep. */
  async settled(ends: readonly SettledPart[]): Promise<void> {
    const delivered = ends.filter((end) => end.delivered).flatMap(({ delivery }) => keyOf(delivery));
    const others = ends
      .filter((end) => !end.delivered)
      .flatMap(({ delivery }) => (keyOf(delivery)[0] ? delivery.id : []));
    if (delivered.length > 0) failpoint('before-last-part');
    await this.#quietly(() => this.#follow(delivered, others));
  }

  /** None of the job's parts can be made: those that wait need not read its rows to find the same. Never throws. */
  async unmakeable(delivery: SettledPart['delivery'], reason: DeliveryReason): Promise<void> {
    const keys = keyOf(delivery);
    if (keys.length === 0) return;
    await this.#quietly(async () => this.#tellFailed(await endWaitingParts(this.session, keys, reason), reason));
  }

  /** Looks after some of the last parts that wait, the next time after the next ones. @throws what the database throws */
  async repair(): Promise<void> {
    const waiting = await listWaitingLastParts(this.session, this.#repairedUpTo, REPAIRED_AT_ONCE);
    this.#repairedUpTo = (waiting.length === REPAIRED_AT_ONCE && waiting.at(-1)?.id) || '';
    await this.#follow(
      waiting.filter(({ missingId }) => missingId === null),
      waiting.flatMap(({ undeliveredId }) => undeliveredId ?? []),
    );
  }

  async #follow(delivered: readonly PartsKey[], undeliveredIds: readonly string[]): Promise<void> {
    if (delivered.length > 0 && (await releaseLastParts(this.session, delivered)) > 0) this.wakeup.notify();
    if (undeliveredIds.length === 0) return;
    this.#tellFailed(await failLastParts(this.session, undeliveredIds), 'parts_incomplete');
  }

  #tellFailed(failed: readonly DataSinkPushEvent[], reason: DeliveryReason): void {
    for (const push of failed) {
      this.telemetry.ended('failed');
      const ofIt = isLastOfSeveral(push.part) ? 'parts_incomplete' : reason;
      const none = { lastAttemptStatus: null, errorCode: null, httpStatus: null };
      this.events.emit(DATA_SINK_EVENTS.pushFailed, { ...push, reason: ofIt, ...none });
    }
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.error({ event: 'parts.left_to_sweeper', error: String(error) });
    }
  }
}

/** None for a delivery of a job in one piece. */
function keyOf({ dataSourceId, jobId, run, recipe }: SettledPart['delivery']): PartsKey[] {
  const part = partOf(recipe);
  return part && part.of > 1 ? [{ dataSourceId, jobId, run, of: part.of }] : [];
}
