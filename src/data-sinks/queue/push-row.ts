import type { DeliveryTrigger } from '../domain/trigger.js';
import type { DataSinkPushEvent } from '../domain/domain-events.js';
import { partOf } from '../domain/body/payload-recipe.js';

/** Columns of delivery `d` that an event about it needs. */
export const PUSH_COLUMNS =
  'd.id, d.workspace_id, d.agent_id, d.data_source_id, d.job_id, d.run, d.recipe, d.trigger, d.attempt_count';

export interface PushRow {
  id: string;
  workspace_id: string;
  agent_id: string;
  data_source_id: string;
  job_id: string;
  run: number;
  recipe: string;
  trigger: DeliveryTrigger;
  attempt_count: number;
}

/** The type of the sink of delivery `d`, for what counts by it; null where its row is gone. */
export const SINK_TYPE = '(SELECT s.type FROM agent_data_source s WHERE s.id = d.data_source_id) AS sink_type';

/** A delivery that a statement has ended without its having been claimed. */
export interface EndedPush extends DataSinkPushEvent {
  readonly sinkType: string | null;
}

export type EndedRow = PushRow & { sink_type: string | null };

export function toEndedPush(row: EndedRow): EndedPush {
  return { ...toPush(row), sinkType: row.sink_type };
}

export function toPush(row: PushRow): DataSinkPushEvent {
  return {
    ...{ deliveryId: row.id, workspaceId: row.workspace_id, agentId: row.agent_id, dataSourceId: row.data_source_id },
    ...{ jobId: row.job_id, run: row.run, part: partOf(row.recipe), trigger: row.trigger, attempts: row.attempt_count },
  };
}
