import { Inject, Injectable } from '@nestjs/common';
import type { DataSink, SinkConfig } from '../domain/data-sink.js';
import { ProblemError } from '../domain/errors.js';
import type { IdFactory } from '../domain/ids.js';
import type { AcceptedSecret, ConfigChange, Destination, Given } from '../destinations/destination.js';
import { Destinations } from '../destinations/destinations.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { DataSinkRepository, type SinkChange, type SinkScope } from './data-sink.repository.js';
import { Database } from '../database/database.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import type { AuditAction } from '../ports/audit-trail.js';
import { SecretVault } from '../ports/secret-vault.js';
import { checkedFields } from '../api/dto/checked-fields.js';
import type { CreateDataSourceBody, UpdateDataSourceBody } from '../api/dto/data-source.body.js';
import { requireMakeable } from './body-problems.js';
import { EndpointAdmission } from './endpoint-admission.js';
import { LeftBehindCleaner } from './left-behind.js';
import { RetiredSecrets } from './retired-secrets.js';
import { changedMeanwhile, deletedMeanwhile, retryLostRace } from './sink-conflicts.js';
import { SinkPing } from './sink-ping.js';
import { SinkCircuit } from '../settlement/sink-circuit.js';
import type { RequestCaller } from '../ports/workspace-access.js';

/** A saved sink and the warnings for its author. */
export interface SavedSink {
  readonly sink: DataSink;
  readonly warnings: readonly string[];
  /** The secret that the module generated; returned only once. */
  readonly generatedSecret: string | null;
}

/** Creates, changes and deletes sinks. Sink, secret and audit entry are written together or not at all. */
@Injectable()
export class DataSinkAdmin {
  constructor(
    private readonly sinks: DataSinkRepository,
    private readonly database: Database,
    private readonly vault: SecretVault,
    private readonly audit: Audit,
    private readonly endpoints: EndpointAdmission,
    private readonly ping: SinkPing,
    private readonly circuit: SinkCircuit,
    private readonly retired: RetiredSecrets,
    private readonly leftBehind: LeftBehindCleaner,
    private readonly destinations: Destinations,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** @throws ProblemError `validation-failed`, `sink-limit-reached` */
  async create(caller: RequestCaller, agentId: string, body: CreateDataSourceBody): Promise<SavedSink> {
    const { role, type, name, format } = body;
    const destination = this.destinations.offered(type);
    const accepted = destination.acceptConfig(this.destinations.newConfig(destination, body.config), null);
    requireMakeable({ format, config: accepted }, null);
    const secret = destination.acceptSecret(secretOf(destination, body.secret), accepted, '/secret');
    const { workspaceId } = caller;
    const config = await completed(destination, accepted, workspaceId);
    const now = new Date();
    const sink: DataSink = {
      ...{ id: this.newId('dataSource'), workspaceId, agentId, role, type, name, config, format },
      ...{
        status: 'ACTIVE',
        disabledReason: null,
        disabledAt: null,
        pausedUntil: null,
        lastTest: null,
        configVersion: 1,
        createdAt: now,
        updatedAt: now,
        deletedAt: null,
      },
      secret: this.#summarise(secret, now),
      previousSecret: null,
    };
    const admitted = await this.endpoints.admit(destination, sink);
    await this.database.transaction(async (transaction) => {
      await this.#requireRoom({ workspaceId, agentId }, transaction);
      await this.#store(sink.secret.id, sink, secret.value, transaction);
      await this.sinks.insert(sink, destination.location?.(config) ?? null, transaction);
      await this.#record('DATA_SINK_CREATED', caller, sink, { name, config, format }, transaction);
    });
    // A name that cannot be resolved has its own warning.
    const silent = admitted.length === 0 ? await this.ping.warningsFor(destination, sink) : [];
    const warnings = [...secret.warnings, ...admitted, ...silent];
    return { sink, warnings, generatedSecret: secret.generated ? secret.value : null };
  }

  /**
   * @param asRead whether it is changed as it was read or not at all; else a lost race is tried again
   * @throws ProblemError `validation-failed`, `secret-required`, `changed-meanwhile`, or `not-found` when it was deleted
   *   concurrently
   */
  change(caller: RequestCaller, sink: DataSink, body: UpdateDataSourceBody, asRead = false): Promise<SavedSink> {
    if (asRead) return this.#changeOnce(caller, sink, body);
    const find = (): Promise<DataSink | null> => this.sinks.find(scopeOf(sink), sink.id);
    return retryLostRace(sink, find, (current) => this.#changeOnce(caller, current, body));
  }

  async #changeOnce(caller: RequestCaller, sink: DataSink, body: UpdateDataSourceBody): Promise<SavedSink> {
    const destination = this.destinations.ofSink(sink.type);
    const asked = this.destinations.configChange(destination, body.config ?? {});
    const accepted = destination.acceptConfig(asked, sink.config);
    requireMakeable({ format: body.format ?? sink.format, config: accepted }, sink);
    const config = await completed(destination, accepted, sink.workspaceId);
    const { moves, needsSecretFor, replacesSecret = false } = destination.compare(sink.config, config);
    requireSecret(needsSecretFor, body.secret !== undefined);
    const given = secretOf(destination, body.secret);
    const secret = given || replacesSecret ? destination.acceptSecret(given, config, '/secret') : undefined;
    const change: SinkChange = {
      config,
      ...(body.name !== undefined && { name: body.name }),
      ...(body.status !== undefined && { status: body.status }),
      ...(body.format !== undefined && { format: body.format }),
      ...(secret && { secret: this.#summarise(secret, new Date()) }),
      moves,
      ...(moves && { location: destination.location?.(config) ?? null }),
    };
    // Setting the current status is not a no-op: it closes the circuit breaker.
    if (!secret && body.status === undefined && Object.keys(difference(sink, change)).length === 0) {
      return { sink, warnings: [], generatedSecret: null };
    }
    const admitted = moves ? await this.endpoints.admit(destination, { ...sink, config }) : [];
    if (secret) await this.leftBehind.before(sink);
    const over = await this.database.transaction(async (transaction) => {
      if (secret && change.secret) {
        await this.#store(change.secret.id, sink, secret.value, transaction);
      }
      if (!(await this.sinks.change(sink, change, transaction))) {
        throw changedMeanwhile();
      }
      await this.#record('DATA_SINK_CHANGED', caller, sink, difference(sink, change), transaction);
      if (sink.status === 'DISABLED' && change.status === 'ACTIVE') {
        await this.#record('DATA_SINK_REACTIVATED', caller, sink, { by: 'change' }, transaction);
      }
      if (!secret) return [];
      // Ends an overlap, too: the endpoint may have changed, and the previous secret must not be used there.
      return this.retired.retireAll(caller, sink, 'replaced', transaction);
    });
    await this.retired.destroy(sink, over);
    if (sink.status === 'DISABLED' && change.status === 'ACTIVE') this.circuit.reactivated(sink, 'change');
    const changed = await this.sinks.find(scopeOf(sink), sink.id);
    if (!changed) throw deletedMeanwhile();
    const asks = (moves || secret !== undefined) && admitted.length === 0;
    const silent = asks ? await this.ping.warningsFor(destination, changed) : [];
    return { sink: changed, warnings: [...(secret?.warnings ?? []), ...admitted, ...silent], generatedSecret: null };
  }

  /**
   * Deletes a sink and its secrets. Its history stays; waiting deliveries become `CANCELLED`.
   * @param asRead whether it is deleted as it was read or not at all
   * @throws ProblemError `changed-meanwhile`
   */
  async delete(caller: RequestCaller, sink: DataSink, asRead = false): Promise<void> {
    await this.leftBehind.before(sink);
    const over = await this.database.transaction(async (transaction) => {
      if (!(await this.sinks.delete(scopeOf(sink), sink.id, transaction, asRead ? sink : undefined))) {
        if (asRead) throw changedMeanwhile();
        return [];
      }
      await this.#record('DATA_SINK_DELETED', caller, sink, { name: sink.name }, transaction);
      return this.retired.retireAll(caller, sink, 'sink_deleted', transaction);
    });
    await this.retired.destroy(sink, over);
  }

  #summarise({ hint }: AcceptedSecret, createdAt: Date): DataSink['secret'] {
    return { id: this.newId('secret'), hint, createdAt };
  }

  async #requireRoom(scope: SinkScope, transaction: Database): Promise<void> {
    const { sinksPerAgent, sinksPerWorkspace } = this.options;
    const { workspaceId } = scope;
    await this.sinks.lockWorkspace(workspaceId, transaction);
    if ((await this.sinks.count(scope, transaction)) >= sinksPerAgent) {
      throw new ProblemError(
        'sink-limit-reached',
        `An agent may have at most ${sinksPerAgent} sinks. Delete one first.`,
      );
    }
    if ((await this.sinks.count({ workspaceId }, transaction)) >= sinksPerWorkspace) {
      throw new ProblemError('sink-limit-reached', `A workspace may have at most ${sinksPerWorkspace} sinks.`);
    }
  }

  #store(secretId: string, { workspaceId }: DataSink, value: string, transaction: Database): Promise<void> {
    return this.vault.store({ secretId, workspaceId }, value, transaction.manager);
  }

  #record(
    action: AuditAction,
    caller: RequestCaller,
    sink: DataSink,
    details: Readonly<Record<string, unknown>>,
    transaction: Database,
  ): Promise<void> {
    return this.audit.record(byCaller(action, caller, sink, details), transaction);
  }
}

function scopeOf({ workspaceId, agentId }: DataSink): SinkScope {
  return { workspaceId, agentId };
}

function secretOf({ secretFields }: Destination, given: object | undefined): Given | undefined {
  return given && checkedFields(secretFields, given, '/secret');
}

/** With what we give to the workspace. */
async function completed(destination: Destination, accepted: SinkConfig, workspaceId: string): Promise<SinkConfig> {
  return (await destination.complete?.(accepted, workspaceId)) ?? accepted;
}

function requireSecret(what: ConfigChange['needsSecretFor'], hasSecret: boolean): void {
  if (what === null || hasSecret) return;
  throw new ProblemError('secret-required', `Changing ${what} needs the secret again. Send it as secret.value.`, {
    errors: [{ pointer: '/secret', detail: 'is required for this change' }],
  });
}

/** Old and new values of what changed. The secret is only named. */
function difference(
  sink: DataSink,
  { secret, moves: _moves, location: _location, ...change }: SinkChange,
): Record<string, unknown> {
  const changed = Object.entries(change).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(sink[field as keyof typeof change]),
  );
  return {
    ...Object.fromEntries(changed.map(([field, to]) => [field, { from: sink[field as keyof typeof change], to }])),
    ...(secret && { secret: 'replaced' }),
  };
}
