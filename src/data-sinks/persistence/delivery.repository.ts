import { type EntityManager, In, LessThan, MoreThan, MoreThanOrEqual } from 'typeorm';
import { type Delivery, type DeliveryStatus, SETTLED_STATUSES } from '../core/delivery.js';
import { parseRecipe } from '../core/payload-recipe.js';
import { type SinkHealth, sinkHealth } from './sink-health.js';
import { DeliveryEntity } from './delivery.entity.js';
import { type ListOrder, type Page, type PageRequest, toPage } from './page.js';
import { redeliver } from './redelivery.js';

export interface DeliveryFilter {
  readonly workspaceId: string;
  readonly dataSourceId: string;
  readonly statuses?: readonly DeliveryStatus[];
  readonly jobId?: string;
  /** Only those made at this time or later. */
  readonly since?: Date;
  /** @default 'newest' */
  readonly order?: ListOrder;
}

/** Deliveries as people read them. The worker's statements are in `claim-deliveries.ts` and its neighbours. */
export class DeliveryRepository {
  readonly #manager: EntityManager;

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  async find(workspaceId: string, id: string): Promise<Delivery | null> {
    const found = await this.#manager.findOneBy(DeliveryEntity, { workspaceId, id });
    return found && toDelivery(found);
  }

  /** The delivery of a job to a sink, or of its first part. */
  async findByJob(workspaceId: string, dataSourceId: string, jobId: string, run: number): Promise<Delivery | null> {
    const found = await this.#manager.findOneBy(DeliveryEntity, { workspaceId, dataSourceId, jobId, run, part: 1 });
    return found && toDelivery(found);
  }

  async list(filter: DeliveryFilter, { limit, afterId }: PageRequest): Promise<Page<Delivery>> {
    const { workspaceId, dataSourceId, statuses, jobId, since, order = 'newest' } = filter;
    const oldestFirst = order === 'oldest';
    const found = await this.#manager.find(DeliveryEntity, {
      where: {
        workspaceId,
        dataSourceId,
        ...(statuses && { status: In(statuses) }),
        ...(jobId !== undefined && { jobId }),
        ...(since && { createdAt: MoreThanOrEqual(since) }),
        ...(afterId !== null && { id: oldestFirst ? MoreThan(afterId) : LessThan(afterId) }),
      },
      order: { id: oldestFirst ? 'ASC' : 'DESC' },
      take: limit + 1,
    });
    return toPage(found, limit, toDelivery);
  }

  /** @param nowMs milliseconds since 1970 */
  healthOf(dataSourceId: string, nowMs: number): Promise<SinkHealth> {
    return sinkHealth(this.#manager, dataSourceId, nowMs);
  }

  /**
   * Makes a settled delivery due once more, with no retries: one more try. A last part that had failed for want of this
   * one waits for it again.
   * @returns false when it is not settled (any more): somebody else was quicker, or it is under way
   */
  async redeliver(workspaceId: string, id: string): Promise<boolean> {
    const made = await redeliver(this.#manager, [{ workspaceId, id, recoveryId: null }], SETTLED_STATUSES);
    return made.length === 1;
  }
}

function toDelivery(entity: DeliveryEntity): Delivery {
  return {
    id: entity.id,
    workspaceId: entity.workspaceId,
    agentId: entity.agentId,
    dataSourceId: entity.dataSourceId,
    jobId: entity.jobId,
    run: entity.run,
    recipe: parseRecipe(entity.recipe),
    trigger: entity.trigger,
    status: entity.status,
    reason: entity.reason,
    attemptCount: entity.attemptCount,
    retriesAllowed: entity.retriesAllowed,
    retriesSpent: entity.retriesSpent,
    nextAttemptAt: entity.nextAttemptAt,
    lastAttemptStatus: entity.lastAttemptStatus,
    lastErrorCode: entity.lastErrorCode,
    payload: entity.payloadSha256 && {
      sha256: entity.payloadSha256.toString('hex'),
      bytes: Number(entity.payloadBytes),
      rows: Number(entity.payloadRows),
      rebuilt: entity.payloadPreviousSha256 !== null,
      sameAsBefore: entity.payloadPreviousSha256 && entity.payloadPreviousSha256.equals(entity.payloadSha256),
    },
    createdAt: entity.createdAt,
    updatedAt: entity.updatedAt,
    settledAt: entity.settledAt,
  };
}
