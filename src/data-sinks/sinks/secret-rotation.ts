import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import type { DataSink } from '../domain/data-sink.js';
import type { IdFactory } from '../domain/ids.js';
import { Destinations } from '../destinations/destinations.js';
import { NEW_ID } from '../data-sinks.tokens.js';
import { DataSinkRepository } from './data-sink.repository.js';
import { rotateSecret } from './secret-overlaps.sql.js';
import { SecretVault } from '../ports/secret-vault.js';
import type { SavedSink } from './data-sink-admin.js';
import { checkedFields, UNKNOWN_FIELD, violationsIn } from '../api/dto/checked-fields.js';
import { invalid } from '../domain/invalid-request.js';
import { OverlapFields } from '../api/dto/rotate-secret.body.js';
import { LeftBehindCleaner } from './left-behind.js';
import { RetiredSecrets } from './retired-secrets.js';
import { changedMeanwhile, deletedMeanwhile } from './sink-conflicts.js';
import type { RequestCaller } from '../ports/workspace-access.js';

/**
 * Replaces a sink's secret; signing secrets get an overlap, so that receivers have time to switch (contract, section
 * 3).
 */
@Injectable()
export class SecretRotation {
  constructor(
    private readonly sinks: DataSinkRepository,
    private readonly database: Database,
    private readonly vault: SecretVault,
    private readonly audit: Audit,
    private readonly retired: RetiredSecrets,
    private readonly leftBehind: LeftBehindCleaner,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    private readonly destinations: Destinations,
  ) {}

  /** @throws ProblemError `validation-failed`, `changed-meanwhile`, `not-found` when it was deleted meanwhile */
  async rotate(caller: RequestCaller, sink: DataSink, body: object): Promise<SavedSink> {
    const { config, workspaceId } = sink;
    const destination = this.destinations.ofSink(sink.type);
    const { overlapSeconds, ...fields } = body as Readonly<Record<string, unknown>>;
    const asked = checkedFields(OverlapFields, { overlapSeconds }, '')['overlapSeconds'] as number | undefined;
    const isGiven = Object.keys(fields).length > 0;
    // Of a misspelt field, that another one is missing would lead away from what is wrong.
    const unknown = violationsIn(destination.secretFields, fields, '').filter((it) => it.detail === UNKNOWN_FIELD);
    if (unknown.length > 0) throw invalid(unknown);
    const given = isGiven ? checkedFields(destination.secretFields, fields, '') : undefined;
    const { seconds, warnings } = destination.overlap(config, asked);
    const secret = destination.acceptSecret(given, config, '');
    const { value, hint, generated } = secret;
    await this.leftBehind.before(sink);
    const id = this.newId('secret');
    const over = await this.database.transaction(async (transaction) => {
      await this.vault.store({ secretId: id, workspaceId }, value, transaction.manager);
      const retired = await rotateSecret(transaction, sink, { id, hint }, seconds);
      if (!retired) throw changedMeanwhile();
      const entry = byCaller('SECRET_ROTATED', caller, sink, { overlapSeconds: seconds, generated });
      await this.audit.record(entry, transaction);
      await this.retired.record(caller, sink, retired, 'rotated', transaction);
      return retired;
    });
    await this.retired.destroy(sink, over);
    const rotated = await this.sinks.find({ workspaceId, agentId: sink.agentId }, sink.id);
    if (!rotated) throw deletedMeanwhile();
    return { sink: rotated, warnings: [...secret.warnings, ...warnings], generatedSecret: generated ? value : null };
  }
}
