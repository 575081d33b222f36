import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { type DataSink, DEFAULT_BODY_SETTINGS } from '../domain/data-sink.js';
import { ProblemError } from '../domain/errors.js';
import { keyText } from '../domain/key-text.js';
import { BatchColumns } from '../database/batch-columns.js';
import { DataSourceEntity } from '../database/entities/data-source.entity.js';
import { type Page, type PageRequest, toPage } from '../database/page.js';
import { Database } from '../database/database.js';
import { EntityColumns, type EntityRow } from '../database/entity-columns.js';

/** Where to look for a sink. Every query names the workspace: another workspace's sink is not found. */
export interface SinkScope {
  readonly workspaceId: string;
  readonly agentId: string;
}

/** A sink as recording sees it. */
export interface SinkOfAgent extends DataSink {
  /** Attempts that found its receiver down, without an answer in between. */
  readonly failuresInRow: number;
}

/** What can change of a sink. */
export type SinkChange = Partial<Pick<DataSink, 'name' | 'config' | 'format' | 'status' | 'secret'>> & {
  /** Whether it goes to another place from now on. @default false */
  readonly moves?: boolean;
  /** The place that no other sink of the workspace may have. */
  readonly location?: string | null;
};

const COLUMNS = new EntityColumns(DataSourceEntity, 's');
const SELECT = `SELECT ${COLUMNS.list} FROM agent_data_source s`;

const AGENT = new BatchColumns<SinkScope>({
  workspace_id: ['text', (agent) => agent.workspaceId],
  agent_id: ['text', (agent) => agent.agentId],
});
const SINKS_OF_AGENTS = `${SELECT}
  JOIN ${AGENT.few('a')} ON s.agent_id = a.agent_id AND s.workspace_id = a.workspace_id
 WHERE s.deleted_at IS NULL`;

/** The configuration of sinks: few rows, rarely written, so the ORM's overhead does not matter. */
@Injectable()
export class DataSinkRepository {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `location-taken` */
  async insert(sink: DataSink, location: string | null, database = this.database): Promise<void> {
    const { secret, previousSecret: _none, lastTest: _untested, ...rest } = sink;
    const columns = { ...rest, secretId: secret.id, secretHint: secret.hint, secretCreatedAt: secret.createdAt };
    await freeLocation(database.manager.insert(DataSourceEntity, { ...columns, location }));
  }

  async find({ workspaceId, agentId }: SinkScope, id: string): Promise<DataSink | null> {
    const [found] = await this.database.query<EntityRow>(
      `${SELECT} WHERE s.workspace_id = $1 AND s.agent_id = $2 AND s.id = $3 AND s.deleted_at IS NULL`,
      [workspaceId, agentId, id],
    );
    return found ? toDataSink(found) : null;
  }

  async list({ workspaceId, agentId }: SinkScope, { limit, afterId }: PageRequest): Promise<Page<DataSink>> {
    const found = await this.database.query<EntityRow>(
      `${SELECT}
        WHERE s.workspace_id = $1 AND s.agent_id = $2 AND s.deleted_at IS NULL AND ($3::text IS NULL OR s.id < $3)
        ORDER BY s.id DESC LIMIT $4`,
      [workspaceId, agentId, afterId, limit + 1],
    );
    return toPage(found, limit, toDataSink);
  }

  /**
   * The ids of a workspace's sinks that have a history: deleted ones too.
   * @param only undefined for all
   */
  async idsOfHistory(
    workspaceId: string,
    only: { readonly agentIds?: readonly string[] | undefined; readonly sinkId?: string | undefined },
  ): Promise<string[]> {
    const found = await this.database.query<EntityRow>(
      `SELECT s.id FROM agent_data_source s
        WHERE s.workspace_id = $1 AND ($2::text[] IS NULL OR s.agent_id = ANY ($2)) AND ($3::text IS NULL OR s.id = $3)
        ORDER BY s.id`,
      [workspaceId, only.agentIds ?? null, only.sinkId ?? null],
    );
    return found.map(({ id }) => id);
  }

  /** The sinks of some agents, in any status, except deleted ones. */
  async listOfAgents(agents: readonly SinkScope[], database = this.database): Promise<SinkOfAgent[]> {
    // Several completions may be of one.
    const each = new Map(agents.map((agent) => [keyText(agent.workspaceId, agent.agentId), agent]));
    const found = await database.prepared<EntityRow>(SINKS_OF_AGENTS, AGENT.valuesOf([...each.values()]));
    return found.map((row) => ({ ...toDataSink(row), failuresInRow: COLUMNS.toEntity(row).failuresInRow }));
  }

  /** Locks the workspace's sinks against additions until the transaction ends, so that a count stays valid. */
  async lockWorkspace(workspaceId: string, transaction: Database): Promise<void> {
    await transaction.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`data-sinks:${workspaceId}`]);
  }

  /** @param scope without an agent: the whole workspace */
  async count(
    { workspaceId, agentId }: Pick<SinkScope, 'workspaceId'> & Partial<SinkScope>,
    database = this.database,
  ): Promise<number> {
    const [counted] = await database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM agent_data_source
        WHERE workspace_id = $1 AND ($2::text IS NULL OR agent_id = $2) AND deleted_at IS NULL`,
      [workspaceId, agentId ?? null],
    );
    return counted?.count ?? 0;
  }

  /**
   * Changes a sink as it was read.
   * @returns false when it was changed or deleted since, and nothing was written
   * @throws ProblemError `location-taken`
   */
  async change(
    sink: DataSink,
    { secret, moves = false, ...change }: SinkChange,
    database = this.database,
  ): Promise<boolean> {
    const secretColumns = secret && {
      secretId: secret.id,
      secretHint: secret.hint,
      secretCreatedAt: secret.createdAt,
    };
    const changed = database.manager.update(
      DataSourceEntity,
      { ...keyOf(sink), ...stateOf(sink), deletedAt: IsNull() },
      {
        ...change,
        ...secretColumns,
        ...disabling(change.status),
        // Of another endpoint nothing is known yet.
        ...(moves && { failuresInRow: 0, pausedUntil: null }),
        configVersion: sink.configVersion + 1,
        updatedAt: () => 'now()',
      },
    );
    const result = await freeLocation(changed);
    return result.affected === 1;
  }

  /** Stores the result of a Test, if the sink has not changed since it was read. */
  async recordTest(sink: DataSink, passed: boolean): Promise<void> {
    await this.database.execute(
      `UPDATE agent_data_source SET test_passed = $3, tested_version = $4, tested_at = now()
        WHERE id = $1 AND workspace_id = $2`,
      [sink.id, sink.workspaceId, passed, sink.configVersion],
    );
  }

  /**
   * Marks a sink as deleted; its history stays.
   * @param as the sink as it must be. Default: it may have changed
   * @returns false when there was nothing to delete
   */
  async delete(
    { workspaceId, agentId }: SinkScope,
    id: string,
    database = this.database,
    as?: DataSink,
  ): Promise<boolean> {
    const result = await database.manager.update(
      DataSourceEntity,
      { workspaceId, agentId, id, ...(as && stateOf(as)), deletedAt: IsNull() },
      { deletedAt: () => 'now()', updatedAt: () => 'now()', status: 'INACTIVE' },
    );
    return result.affected === 1;
  }
}

/** The index decides, not a look before: two requests at the same moment cannot both be first. */
async function freeLocation<T>(writing: Promise<T>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    const { code, constraint } = ((error as { driverError?: unknown }).driverError ?? {}) as Record<string, unknown>;
    if (code !== '23505' || !String(constraint).endsWith('_location')) throw error;
    throw new ProblemError(
      'location-taken',
      'Another sink of this workspace writes to the same place. Choose another prefix, or delete that sink first.',
    );
  }
}

/** What another request or the module may have changed meanwhile. */
function stateOf({ configVersion, status }: DataSink): Pick<DataSink, 'configVersion' | 'status'> {
  return { configVersion, status };
}

function keyOf({ workspaceId, id }: DataSink): Pick<DataSink, 'workspaceId' | 'id'> {
  return { workspaceId, id };
}

interface Disabling {
  readonly disabledReason?: null;
  readonly disabledAt?: null;
  readonly reactivatedAt?: () => string;
  readonly failuresInRow?: 0;
  readonly pausedUntil?: null;
}

/**
 * Setting the status clears the state that the module set; earlier failures no longer count once it is active again.
 */
function disabling(status: DataSink['status'] | undefined): Disabling {
  if (status === undefined) return {};
  const afresh = { reactivatedAt: () => 'now()', failuresInRow: 0, pausedUntil: null } as const;
  return { disabledReason: null, disabledAt: null, ...(status === 'ACTIVE' && afresh) };
}

function toDataSink(row: EntityRow): DataSink {
  const entity = COLUMNS.toEntity(row);
  const { secretId, secretHint, secretCreatedAt, config, ...others } = entity;
  const { previousSecretId, previousSecretHint, previousSecretExpiresAt, isOverlapping, ...more } = others;
  // What the worker and the sweeper alone keep of it.
  const { previousSecretToldAt: _told, reactivatedAt: _at, location: _location, ...kept } = more;
  const { failuresInRow: _failures, pacedFrom: _from, testedAt, testedVersion, testPassed, ...rest } = kept;
  return {
    ...rest,
    config: { ...DEFAULT_BODY_SETTINGS, ...config },
    lastTest:
      testedAt === null || testPassed === null
        ? null
        : { passed: testPassed, at: testedAt, isCurrent: testedVersion === entity.configVersion },
    secret: { id: secretId, hint: secretHint, createdAt: secretCreatedAt },
    previousSecret:
      isOverlapping && previousSecretId !== null && previousSecretExpiresAt !== null
        ? { id: previousSecretId, hint: previousSecretHint, expiresAt: previousSecretExpiresAt }
        : null,
  };
}
