import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DataSink, HttpsWebhookConfig } from '../core/data-sink.js';
import { ProblemError } from '../core/errors.js';
import type { IdFactory } from '../core/ids.js';
import type { NetworkPolicy } from '../core/network-policy.js';
import { secretHint } from '../core/redact.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NETWORK_POLICY, NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { DataSinkRepository, type SinkChange, type SinkScope } from '../persistence/data-sink.repository.js';
import type { Session } from '../persistence/database.js';
import { Transactions } from '../persistence/transactions.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import type { AuditAction } from '../ports/audit-trail.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { SecretVault } from '../ports/secret-vault.js';
import { auditEntry } from './audit-entry.js';
import type { CreateDataSourceBody, UpdateDataSourceBody } from './dto/data-source.body.js';
import { EndpointAdmission } from './endpoint-admission.js';
import { RetiredSecrets } from './retired-secrets.js';
import { changedMeanwhile, deletedMeanwhile } from './sink-conflicts.js';
import { acceptConfig, type GivenConfig } from './sink-endpoint.js';
import { SinkReactivation } from './sink-reactivation.js';
import { acceptSecret, type AcceptedSecret } from './sink-secret.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** A sink that was written, and what its author should know. */
export interface SavedSink {
  readonly sink: DataSink;
  readonly warnings: readonly string[];
  /** The secret that we made; shown this once. */
  readonly generatedSecret: string | null;
}

/** Creates, changes and deletes sinks: the secret to the vault, the change to the audit trail, all or nothing. */
@Injectable()
export class DataSinkAdmin {
  constructor(
    private readonly sinks: DataSinkRepository,
    private readonly transactions: Transactions,
    private readonly vault: SecretVault,
    private readonly audit: AuditTrail,
    private readonly endpoints: EndpointAdmission,
    private readonly reactivation: SinkReactivation,
    private readonly retired: RetiredSecrets,
    @Inject(NETWORK_POLICY) private readonly policy: NetworkPolicy,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** @throws ProblemError `validation-failed`, `sink-limit-reached` */
  async create(caller: RequestCaller, agentId: string, body: CreateDataSourceBody): Promise<SavedSink> {
    const { role, type, name, format } = body;
    const config = this.#accept({
      url: body.config.url,
      authScheme: body.config.authScheme,
      username: body.config.username ?? null,
      customHeaders: body.config.customHeaders ?? [],
      retryableStatuses: body.config.retryableStatuses ?? [],
      compression: body.config.compression ?? 'none',
      includeFields: body.config.includeFields ?? null,
      maxRowsPerPush: body.config.maxRowsPerPush ?? null,
      maxPushesPerSecond: body.config.maxPushesPerSecond ?? null,
      sendTraceparent: body.config.sendTraceparent ?? false,
    });
    const secret = acceptSecret(body.secret?.value, config, randomBytes);
    const { workspaceId } = caller;
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
      secret: this.#summarise(secret, config, now),
      previousSecret: null,
    };
    const warnings = [...secret.warnings, ...(await this.endpoints.admit(sink))];
    await this.transactions.run(async (transaction) => {
      await this.#requireRoom({ workspaceId, agentId }, transaction);
      await this.#store(sink.secret.id, sink, secret.value, transaction);
      await this.sinks.insert(sink, transaction);
      await this.#record('DATA_SINK_CREATED', caller, sink, { name, config, format }, transaction);
    });
    return { sink, warnings, generatedSecret: secret.generated ? secret.value : null };
  }

  /** @throws ProblemError `validation-failed`, `secret-required`, `not-found` when it was deleted meanwhile */
  async change(caller: RequestCaller, sink: DataSink, body: UpdateDataSourceBody): Promise<SavedSink> {
    const config = this.#accept({ ...sink.config, ...forScheme(sink.config, body.config) });
    requireSecretForMove(sink.config, config, body.secret !== undefined);
    const secret = body.secret && acceptSecret(body.secret.value, config, randomBytes);
    const change: SinkChange = {
      config,
      ...(body.name !== undefined && { name: body.name }),
      ...(body.status !== undefined && { status: body.status }),
      ...(body.format !== undefined && { format: body.format }),
      ...(secret && { secret: this.#summarise(secret, config, new Date()) }),
    };
    // A status asks for something also where it is the one that the sink has: it ends a pause.
    if (!secret && body.status === undefined && Object.keys(difference(sink, change)).length === 0) {
      return { sink, warnings: [], generatedSecret: null };
    }
    const moves = config.url !== sink.config.url;
    const warnings = [...(secret?.warnings ?? []), ...(moves ? await this.endpoints.admit({ ...sink, config }) : [])];
    const over = await this.transactions.run(async (transaction) => {
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
      // Another secret, and perhaps another place to send it to: the one before has no business there.
      return this.retired.retireAll(caller, sink, 'replaced', transaction);
    });
    await this.retired.destroy(sink, over);
    if (sink.status === 'DISABLED' && change.status === 'ACTIVE') this.reactivation.happened(sink, 'change');
    const changed = await this.sinks.find(scopeOf(sink), sink.id);
    if (!changed) throw deletedMeanwhile();
    return { sink: changed, warnings, generatedSecret: null };
  }

  /** Deletes a sink and its secrets. What was sent stays on record; what still waits ends `CANCELLED`. */
  async delete(caller: RequestCaller, sink: DataSink): Promise<void> {
    const over = await this.transactions.run(async (transaction) => {
      if (!(await this.sinks.delete(scopeOf(sink), sink.id, transaction))) return [];
      await this.#record('DATA_SINK_DELETED', caller, sink, { name: sink.name }, transaction);
      return this.retired.retireAll(caller, sink, 'sink_deleted', transaction);
    });
    await this.retired.destroy(sink, over);
  }

  #accept(config: GivenConfig): HttpsWebhookConfig {
    return acceptConfig(config, this.policy, this.options.allowedPorts);
  }

  #summarise({ value }: AcceptedSecret, config: HttpsWebhookConfig, createdAt: Date): DataSink['secret'] {
    return { id: this.newId('secret'), hint: secretHint(value, config), createdAt };
  }

  async #requireRoom(scope: SinkScope, transaction: Session): Promise<void> {
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

  #store(secretId: string, { workspaceId }: DataSink, value: string, transaction: Session): Promise<void> {
    return within(this.vault.store({ secretId, workspaceId }, value, transaction), PORT_WITHIN_MS, 'the vault');
  }

  #record(
    action: AuditAction,
    caller: RequestCaller,
    sink: DataSink,
    details: Readonly<Record<string, unknown>>,
    transaction: Session,
  ): Promise<void> {
    return within(
      this.audit.record([auditEntry(action, caller, sink, details)], transaction),
      PORT_WITHIN_MS,
      'the audit trail',
    );
  }
}

function scopeOf({ workspaceId, agentId }: DataSink): SinkScope {
  return { workspaceId, agentId };
}

/** A change of scheme leaves no username behind that the new scheme does not know. */
function forScheme(current: HttpsWebhookConfig, change: Partial<GivenConfig> = {}): Partial<GivenConfig> {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const { authScheme = current.authScheme, username } = change;
  return authScheme !== 'Basic' && username === undefined ? { ...given, username: null } : given;
}

/**
 * A stored secret stays with its host: else someone who may edit a sink, but never saw its secret, could have it sent to
 * a server of their own. The same holds for the scheme, since Bearer would show what HMAC only uses.
 */
function requireSecretForMove(from: HttpsWebhookConfig, to: HttpsWebhookConfig, hasSecret: boolean): void {
  if (hasSecret) return;
  const moved = new URL(from.url).origin !== new URL(to.url).origin;
  if (!moved && from.authScheme === to.authScheme && from.username === to.username) return;
  const what = moved ? 'the endpoint’s host' : 'how the secret is used';
  throw new ProblemError('secret-required', `Changing ${what} needs the secret again. Send it as secret.value.`, {
    errors: [{ pointer: '/secret', detail: 'is needed with this change' }],
  });
}

/** Old and new values of what changed. The secret is only named. */
function difference(sink: DataSink, { secret, ...change }: SinkChange): Record<string, unknown> {
  const changed = Object.entries(change).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(sink[field as keyof typeof change]),
  );
  return {
    ...Object.fromEntries(changed.map(([field, to]) => [field, { from: sink[field as keyof typeof change], to }])),
    ...(secret && { secret: 'replaced' }),
  };
}
