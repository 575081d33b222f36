import { Injectable } from '@nestjs/common';
import type { DataSink } from '../domain/data-sink.js';
import { type Delivery, type DeliveryStatus, SETTLED_STATUSES } from '../domain/delivery.js';
import { parseRecipe } from '../domain/body/payload-recipe.js';
import type { SinkHealth } from '../domain/sink-health.js';
import { sinkHealth } from './sink-health.sql.js';
import { DeliveryEntity } from '../database/entities/delivery.entity.js';
import type { Page, PageRequest } from '../database/page.js';
import { historyPage } from './history.js';
import { DELIVERIES, type HistoryFilter } from './history.sql.js';
import { redeliver } from './redelivery.sql.js';
import { Database } from '../database/database.js';
import { EntityColumns, type EntityRow } from '../database/entity-columns.js';

export interface DeliveryFilter extends HistoryFilter<DeliveryStatus> {
  readonly workspaceId: string;
  /** One sink or several. */
  readonly dataSourceId: string | readonly string[];
}

const COLUMNS = new EntityColumns(DeliveryEntity, 'd');
/** Ordered and limited, so that it is looked up whatever the statistics say. */
const BY_ID = `SELECT * FROM agent_data_source_delivery d WHERE d.id BETWEEN of.id AND of.id ORDER BY d.id LIMIT 1`;
const SELECT = `SELECT ${COLUMNS.list} FROM agent_data_source_delivery d`;

/** Deliveries as the API reads them. The worker's statements are in `queue/`. */
@Injectable()
export class DeliveryRepository {
  constructor(private readonly database: Database) {}

  async find(workspaceId: string, id: string): Promise<Delivery | null> {
    // By id: along an index by workspace, all of its rows might be read (`index-orders.ts`).
    const [found] = await this.database.query<EntityRow>(`${SELECT} WHERE d.workspace_id || '' = $1 AND d.id = $2`, [
      workspaceId,
      id,
    ]);
    return found ? toDelivery(found) : null;
  }

  /** The delivery of a job to a sink, or of its first part. */
  async findByJob(workspaceId: string, dataSourceId: string, jobId: string, run: number): Promise<Delivery | null> {
    const [found] = await this.database.query<EntityRow>(
      `${SELECT}
        WHERE d.workspace_id = $1 AND d.data_source_id = $2 AND d.job_id = $3 AND d.run = $4::int AND d.part = 1`,
      [workspaceId, dataSourceId, jobId, run],
    );
    return found ? toDelivery(found) : null;
  }

  /** A page, as `history.ts` finds it: it may go on though it has fewer items than its limit. */
  async list({ workspaceId, dataSourceId, ...filter }: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>> {
    const scope = { workspaceId, sinks: [dataSourceId].flat() };
    const { items, nextAfterId } = await historyPage(this.database, DELIVERIES, scope, filter, page);
    const found = await this.database.query<EntityRow>(
      `SELECT ${COLUMNS.list} FROM unnest($1::text[]) WITH ORDINALITY AS of (id, place)
        CROSS JOIN LATERAL (${BY_ID}) d WHERE d.workspace_id || '' = $2 ORDER BY of.place`,
      [items, workspaceId],
    );
    return { items: found.map(toDelivery), nextAfterId };
  }

  /** @param nowMs milliseconds since 1970 */
  healthOf(sink: Pick<DataSink, 'workspaceId' | 'id'>, nowMs: number): Promise<SinkHealth> {
    return sinkHealth(this.database, sink, nowMs);
  }

  /**
   * Makes a settled delivery due again for one attempt without retries. A last part that failed because of this one
   * waits for it again.
   * @returns false when it is not settled: someone else was faster, or it is in flight
   */
  async redeliver(workspaceId: string, id: string): Promise<boolean> {
    const made = await redeliver(this.database, [{ workspaceId, id, recoveryId: null }], SETTLED_STATUSES);
    return made.length === 1;
  }
}

function toDelivery(row: EntityRow): Delivery {
  const entity = COLUMNS.toEntity(row);
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
