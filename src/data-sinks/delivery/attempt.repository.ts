import { Injectable } from '@nestjs/common';
import type { Attempt, AttemptStatus } from '../domain/attempt.js';
import { AttemptEntity } from '../database/entities/attempt.entity.js';
import type { Page, PageRequest } from '../database/page.js';
import { Database } from '../database/database.js';
import { EntityColumns, type EntityRow } from '../database/entity-columns.js';
import { historyPage } from './history.js';
import { ATTEMPTS, type HistoryFilter } from './history.sql.js';

export interface AttemptFilter extends HistoryFilter<AttemptStatus> {
  readonly workspaceId: string;
  readonly dataSourceId: string;
}

const COLUMNS = new EntityColumns(AttemptEntity, 'a');
/** Ordered and limited, so that it is looked up whatever the statistics say. */
const BY_ID = `SELECT * FROM agent_data_source_sync a WHERE a.id BETWEEN of.id AND of.id ORDER BY a.id LIMIT 1`;
const SELECT = `SELECT ${COLUMNS.list} FROM agent_data_source_sync a`;

/** Attempts as the API reads them. */
@Injectable()
export class AttemptRepository {
  constructor(private readonly database: Database) {}

  /** A page of a sink's, as `history.ts` finds it: it may go on though it has fewer items than its limit. */
  async list({ workspaceId, dataSourceId, ...filter }: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    const scope = { workspaceId, sinks: [dataSourceId] };
    const { items, nextAfterId } = await historyPage(this.database, ATTEMPTS, scope, filter, page);
    const found = await this.database.query<EntityRow>(
      `SELECT ${COLUMNS.list} FROM unnest($1::text[]) WITH ORDINALITY AS of (id, place)
        CROSS JOIN LATERAL (${BY_ID}) a WHERE a.workspace_id || '' = $2 ORDER BY of.place`,
      [items, workspaceId],
    );
    return { items: found.map(toAttempt), nextAfterId };
  }

  /** The last of a delivery, newest first. */
  async ofDelivery(workspaceId: string, deliveryId: string, limit: number): Promise<Attempt[]> {
    const found = await this.database.query<EntityRow>(
      `${SELECT} WHERE a.workspace_id = $1 AND a.delivery_id = $2 ORDER BY a.id DESC LIMIT $3`,
      [workspaceId, deliveryId, limit],
    );
    return found.map(toAttempt);
  }
}

function toAttempt(row: EntityRow): Attempt {
  const entity = COLUMNS.toEntity(row);
  const {
    leftover: _left,
    payloadSha256,
    payloadBytes,
    dnsMs,
    connectMs,
    tlsMs,
    uploadMs,
    waitMs,
    totalMs,
    ...rest
  } = entity;
  return {
    ...rest,
    payloadSha256: payloadSha256.toString('hex'),
    payloadBytes: Number(payloadBytes),
    timings: totalMs === null ? null : { dnsMs, connectMs, tlsMs, uploadMs, waitMs, totalMs },
  };
}
