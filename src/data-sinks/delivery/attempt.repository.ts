import { Injectable } from '@nestjs/common';
import type { Attempt } from '../domain/attempt.js';
import { AttemptEntity } from '../database/entities/attempt.entity.js';
import { type Page, type PageRequest, toPage } from '../database/page.js';
import { Database } from '../database/database.js';
import { EntityColumns, type EntityRow } from '../database/entity-columns.js';

export type AttemptFilter =
  | { readonly workspaceId: string; readonly dataSourceId: string }
  | { readonly workspaceId: string; readonly deliveryId: string };

const COLUMNS = new EntityColumns(AttemptEntity, 'a');
const SELECT = `SELECT ${COLUMNS.list} FROM agent_data_source_sync a`;

/** Attempts as the API reads them, newest first. */
@Injectable()
export class AttemptRepository {
  constructor(private readonly database: Database) {}

  async list(filter: AttemptFilter, { limit, afterId }: PageRequest): Promise<Page<Attempt>> {
    const [column, value] =
      'deliveryId' in filter ? ['delivery_id', filter.deliveryId] : ['data_source_id', filter.dataSourceId];
    const found = await this.database.query<EntityRow>(
      `${SELECT} WHERE a.workspace_id = $1 AND a.${column} = $2${afterId === null ? '' : ' AND a.id < $4'}
        ORDER BY a.id DESC LIMIT $3`,
      [filter.workspaceId, value, limit + 1, ...(afterId === null ? [] : [afterId])],
    );
    return toPage(found, limit, toAttempt);
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
