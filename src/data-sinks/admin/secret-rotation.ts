import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import type { IdFactory } from '../core/ids.js';
import { secretHint } from '../core/redact.js';
import { overlapOfRotation } from '../core/secret-rotation.js';
import { signatureScheme } from '../core/signing/signature-scheme.js';
import { NEW_ID } from '../data-sinks.tokens.js';
import { DataSinkRepository } from '../persistence/data-sink.repository.js';
import { rotateSecret } from '../persistence/secret-overlaps.js';
import { Transactions } from '../persistence/transactions.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { SecretVault } from '../ports/secret-vault.js';
import { auditEntry } from './audit-entry.js';
import type { SavedSink } from './data-sink-admin.js';
import type { RotateSecretBody } from './dto/rotate-secret.body.js';
import { invalid } from './request-validation.pipe.js';
import { RetiredSecrets } from './retired-secrets.js';
import { changedMeanwhile, deletedMeanwhile } from './sink-conflicts.js';
import { acceptSecret } from './sink-secret.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** Puts another secret in force; a signing one leaves its receivers time to learn it (contract, section 3). */
@Injectable()
export class SecretRotation {
  constructor(
    private readonly sinks: DataSinkRepository,
    private readonly transactions: Transactions,
    private readonly vault: SecretVault,
    private readonly audit: AuditTrail,
    private readonly retired: RetiredSecrets,
    @Inject(NEW_ID) private readonly newId: IdFactory,
  ) {}

  /** @throws ProblemError `validation-failed`, `temporarily-unavailable`, `not-found` when it was deleted meanwhile */
  async rotate(caller: RequestCaller, sink: DataSink, body: RotateSecretBody): Promise<SavedSink> {
    const { config, workspaceId } = sink;
    const overlapSeconds = acceptOverlap(config.authScheme, body.overlapSeconds);
    const secret = acceptSecret(body.value, config, randomBytes, { missing: '/value', wrong: '/value' });
    const { value, generated } = secret;
    const id = this.newId('secret');
    const over = await this.transactions.run(async (transaction) => {
      await within(this.vault.store({ secretId: id, workspaceId }, value, transaction), PORT_WITHIN_MS, 'the vault');
      const retired = await rotateSecret(transaction, sink, { id, hint: secretHint(value, config) }, overlapSeconds);
      if (!retired) throw changedMeanwhile();
      const entry = auditEntry('SECRET_ROTATED', caller, sink, { overlapSeconds, generated });
      await within(this.audit.record([entry], transaction), PORT_WITHIN_MS, 'the audit trail');
      await this.retired.record(caller, sink, retired, 'rotated', transaction);
      return retired;
    });
    await this.retired.destroy(sink, over);
    const rotated = await this.sinks.find({ workspaceId, agentId: sink.agentId }, sink.id);
    if (!rotated) throw deletedMeanwhile();
    const warnings = [...secret.warnings, ...warningsOf(config.authScheme)];
    return { sink: rotated, warnings, generatedSecret: generated ? value : null };
  }
}

function acceptOverlap(scheme: DataSink['config']['authScheme'], asked: number | undefined): number {
  const overlapSeconds = overlapOfRotation(scheme, asked);
  if (overlapSeconds !== null) return overlapSeconds;
  const detail = `must be 0 or left out for ${scheme}: its header comes once, so the old secret ends at once`;
  throw invalid([{ pointer: '/overlapSeconds', detail }]);
}

function warningsOf(scheme: DataSink['config']['authScheme']): string[] {
  if (signatureScheme(scheme).overlaps) return [];
  return [`${scheme} sends one secret at a time, so the old one has ended: pushes carry the new one from now on.`];
}
