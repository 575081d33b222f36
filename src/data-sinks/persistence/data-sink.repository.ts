import { type EntityManager, In, IsNull, LessThan, type Repository } from 'typeorm';
import { type DataSink, DEFAULT_BODY_SETTINGS } from '../core/data-sink.js';
import { DataSourceEntity } from './data-source.entity.js';
import { resumeSinks } from './sink-pausing.js';
import { type Page, type PageRequest, toPage } from './page.js';

/** Where a sink is looked for. Every question carries the workspace: another one's sink is one that does not exist. */
export interface SinkScope {
  readonly workspaceId: string;
  readonly agentId: string;
}

/** What can change of a sink. */
export type SinkChange = Partial<Pick<DataSink, 'name' | 'config' | 'format' | 'status' | 'secret'>>;

/** The configuration of sinks: few rows, rarely written, so the ORM's comfort costs nothing that matters. */
export class DataSinkRepository {
  readonly #manager: EntityManager;

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  async insert(sink: DataSink, manager = this.#manager): Promise<void> {
    const { secret, previousSecret: _none, lastTest: _untested, ...rest } = sink;
    const columns = { ...rest, secretId: secret.id, secretHint: secret.hint, secretCreatedAt: secret.createdAt };
    await repository(manager).insert(columns);
  }

  async find(scope: SinkScope, id: string): Promise<DataSink | null> {
    const found = await repository(this.#manager).findOneBy({ ...scope, id, deletedAt: IsNull() });
    return found && toDataSink(found);
  }

  async list(scope: SinkScope, { limit, afterId }: PageRequest): Promise<Page<DataSink>> {
    const found = await repository(this.#manager).find({
      where: { ...scope, deletedAt: IsNull(), ...(afterId === null ? {} : { id: LessThan(afterId) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return toPage(found, limit, toDataSink);
  }

  /** The sinks that want the results of these agents' jobs; a disabled one lets them wait. */
  async listWanting(agentIds: readonly string[], manager = this.#manager): Promise<DataSink[]> {
    const found = await repository(manager).findBy({
      agentId: In(agentIds),
      status: In(['ACTIVE', 'DISABLED']),
      deletedAt: IsNull(),
    });
    return found.map(toDataSink);
  }

  /** Until the transaction ends nobody else adds a sink to this workspace, so that what was counted stays true. */
  async lockWorkspace(workspaceId: string, transaction: EntityManager): Promise<void> {
    await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`data-sinks:${workspaceId}`]);
  }

  async count(scope: Partial<SinkScope>, manager = this.#manager): Promise<number> {
    return repository(manager).countBy({ ...scope, deletedAt: IsNull() });
  }

  /**
   * Changes a sink as it was read.
   * @returns false when it was changed or deleted since, and nothing was written
   */
  async change(sink: DataSink, { secret, ...change }: SinkChange, manager = this.#manager): Promise<boolean> {
    const secretColumns = secret && {
      secretId: secret.id,
      secretHint: secret.hint,
      secretCreatedAt: secret.createdAt,
    };
    const result = await repository(manager).update(
      { id: sink.id, configVersion: sink.configVersion, deletedAt: IsNull() },
      {
        ...change,
        ...secretColumns,
        ...disabling(change.status),
        // Of another endpoint nothing is known yet.
        ...(change.config && change.config.url !== sink.config.url && { failuresInRow: 0, pausedUntil: null }),
        configVersion: sink.configVersion + 1,
        updatedAt: () => 'now()',
      },
    );
    return result.affected === 1;
  }

  /**
   * Makes a disabled sink active again, as it was read, and ends its pause.
   * @returns false when it is not disabled (any more), or was changed: of what it is now, nothing is known
   */
  async reactivate(sink: DataSink, manager = this.#manager): Promise<boolean> {
    const result = await repository(manager).update(
      { id: sink.id, configVersion: sink.configVersion, status: 'DISABLED', deletedAt: IsNull() },
      { status: 'ACTIVE', updatedAt: () => 'now()', ...disabling('ACTIVE') },
    );
    return result.affected === 1;
  }

  /** Keeps what a Test of the sink, as it was read, has said. */
  async recordTest(sink: DataSink, passed: boolean): Promise<void> {
    const said = { testPassed: passed, testedVersion: sink.configVersion, testedAt: () => 'now()' };
    await repository(this.#manager).update({ id: sink.id }, said);
  }

  /** Ends the pause of a sink, as it was read, whose receiver has answered. @returns whether it was paused */
  async resume({ id, configVersion }: DataSink): Promise<boolean> {
    const isAsRead = await repository(this.#manager).existsBy({ id, configVersion });
    return isAsRead && resumeSinks(this.#manager, [id]);
  }

  /** Marks a sink as deleted; its history stays. @returns false when there was none to delete */
  async delete(scope: SinkScope, id: string, manager = this.#manager): Promise<boolean> {
    const result = await repository(manager).update(
      { ...scope, id, deletedAt: IsNull() },
      { deletedAt: () => 'now()', updatedAt: () => 'now()', status: 'INACTIVE' },
    );
    return result.affected === 1;
  }
}

function repository(manager: EntityManager): Repository<DataSourceEntity> {
  return manager.getRepository(DataSourceEntity);
}

interface Disabling {
  readonly disabledReason?: null;
  readonly disabledAt?: null;
  readonly reactivatedAt?: () => string;
  readonly failuresInRow?: 0;
  readonly pausedUntil?: null;
}

/** Whoever sets the status ends what the module made of it; failures of before count no more once it is active again. */
function disabling(status: DataSink['status'] | undefined): Disabling {
  if (status === undefined) return {};
  const afresh = { reactivatedAt: () => 'now()', failuresInRow: 0, pausedUntil: null } as const;
  return { disabledReason: null, disabledAt: null, ...(status === 'ACTIVE' && afresh) };
}

function toDataSink(entity: DataSourceEntity): DataSink {
  const { secretId, secretHint, secretCreatedAt, config, ...others } = entity;
  const { previousSecretId, previousSecretHint, previousSecretExpiresAt, isOverlapping, ...more } = others;
  // What the worker and the sweeper alone keep of it.
  const { previousSecretToldAt: _told, reactivatedAt: _at, ...kept } = more;
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
