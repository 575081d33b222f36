import { Logger } from '@nestjs/common';
import { Audit } from '../../../../src/data-sinks/database/audit/audit.js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventPublisher } from '../../../../src/data-sinks/settlement/event-publisher.js';
import { SecretOverlaps } from '../../../../src/data-sinks/sinks/secret-overlaps.js';
import type { AuditEntry } from '../../../../src/data-sinks/ports/audit-trail.js';
import type { SecretRef } from '../../../../src/data-sinks/ports/secret-vault.js';
import type { AuditTrail } from '../../../../src/data-sinks/ports/audit-trail.js';
import { BoundAuditTrail, BoundSecretVault } from '../../../../src/data-sinks/ports/bound/index.js';
import type { SecretVault } from '../../../../src/data-sinks/ports/secret-vault.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';

const EXPIRES_AT = new Date('2026-05-26T12:00:00Z');
const overlap = (id: string) => ({
  ...{ dataSourceId: id, workspaceId: 'ws_1', agentId: 'agt_1' },
  ...{ secretId: `sec_${id}`, expiresAt: EXPIRES_AT.getTime() },
});

let errors: unknown[];
beforeEach(() => {
  errors = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});
const NEVER = (): Promise<never> => new Promise(() => undefined);

interface Stage {
  readonly ending?: readonly string[];
  readonly ended?: readonly string[];
  /** Sinks whose overlap somebody else has ended meanwhile. */
  readonly taken?: readonly string[];
  readonly destroy?: (ref: SecretRef) => Promise<void>;
  readonly record?: (entries: readonly AuditEntry[]) => Promise<void>;
}

function stage({ ending = [], ended = [], taken = [], destroy, record }: Stage) {
  const order: string[] = [];
  const entries: AuditEntry[] = [];
  const query = async (sql: string, [sinkId]: [string]) => {
    if (sql.includes('told_at = now()')) return ending.map(overlap);
    if (sql.startsWith('SELECT')) return ended.map(overlap);
    order.push(`taken off ${sinkId}`);
    return taken.includes(sinkId) ? [] : [{ secretId: `sec_${sinkId}` }];
  };
  const told: unknown[] = [];
  const emitter = {
    hasListeners: () => true,
    emitAsync: async (name: unknown, event: unknown) => [told.push([name, event])],
  };
  const vault: Partial<SecretVault> = {
    destroy: async (ref) => (order.push(`destroyed ${ref.secretId}`), destroy?.(ref)),
  };
  const trail: AuditTrail = { record: async (given) => (entries.push(...given), record?.(given)) };
  const overlaps = new SecretOverlaps(
    fakeDatabase(query),
    new BoundSecretVault(vault as SecretVault, { answerMs: 10_000, sweepMs: 10_000 }),
    new Audit(new BoundAuditTrail(trail, 10_000)),
    new EventPublisher(stub(emitter)),
    stub({ secretExpiringNoticeMs: 3_600_000 }),
  );
  return { overlaps, order, entries, told };
}

describe('the sweep of overlaps', () => {
  it('announces overlaps that end soon, without their secrets', async () => {
    const { overlaps, told, order } = stage({ ending: ['ads_1', 'ads_2'] });
    await overlaps.sweep();
    const about = { workspaceId: 'ws_1', agentId: 'agt_1', expiresAt: EXPIRES_AT };
    expect(told).toEqual([
      ['DataSinkSecretExpiring', { ...about, dataSourceId: 'ads_1' }],
      ['DataSinkSecretExpiring', { ...about, dataSourceId: 'ads_2' }],
    ]);
    expect(order).toEqual([]);
  });

  it('destroys expired secrets before it audits that', async () => {
    const { overlaps, order, entries } = stage({ ended: ['ads_1'] });
    await overlaps.sweep();
    expect(order).toEqual(['destroyed sec_ads_1', 'taken off ads_1']);
    expect(entries).toEqual([
      {
        ...{ action: 'SECRET_DESTROYED', workspaceId: 'ws_1', agentId: 'agt_1', dataSourceId: 'ads_1' },
        ...{ deliveryId: null, ip: null, actor: { type: 'agent', id: 'agt_1' } },
        details: { secretId: 'sec_ads_1', because: 'overlap_over' },
      },
    ]);
  });

  it('is silent about overlaps that another process has ended', async () => {
    const { overlaps, entries } = stage({ ended: ['ads_1'], taken: ['ads_1'] });
    await overlaps.sweep();
    expect(entries).toEqual([]);
  });

  it('retries a secret that the vault cannot destroy in the next sweep, and continues with the others', async () => {
    const destroy = async ({ secretId }: SecretRef): Promise<void> => {
      if (secretId === 'sec_ads_1') throw new Error('vault away');
    };
    const { overlaps, order, entries } = stage({ ended: ['ads_1', 'ads_2'], destroy });
    await overlaps.sweep();
    expect(order).toEqual(['destroyed sec_ads_1', 'destroyed sec_ads_2', 'taken off ads_2']);
    expect(entries.map(({ dataSourceId }) => dataSourceId)).toEqual(['ads_2']);
    expect(errors).toMatchObject([
      { event: 'secret.not_destroyed', secretId: 'sec_ads_1', error: 'Error: vault away' },
    ]);
  });

  it('survives an unavailable audit trail', async () => {
    const { overlaps } = stage({ ended: ['ads_1'], record: () => Promise.reject(new Error('audit away')) });
    await overlaps.sweep();
    expect(errors).toMatchObject([
      { event: 'secret.not_destroyed', secretId: 'sec_ads_1', error: 'Error: audit away' },
    ]);
  });

  it('leaves the rest to the next sweep when the vault never answers', async () => {
    jest.useFakeTimers();
    const { overlaps, order } = stage({ ended: ['ads_1', 'ads_2'], destroy: NEVER });
    const sweeping = overlaps.sweep();
    await jest.advanceTimersByTimeAsync(10_000);
    await sweeping;
    expect(order).toEqual(['destroyed sec_ads_1']);
    expect(errors).toMatchObject([{ event: 'secret.not_destroyed', secretId: 'sec_ads_1' }]);
  });

  it('rolls back when the audit trail never answers', async () => {
    jest.useFakeTimers();
    const { overlaps } = stage({ ended: ['ads_1'], record: NEVER });
    const sweeping = overlaps.sweep();
    await jest.advanceTimersByTimeAsync(10_000);
    await sweeping;
    expect(errors).toMatchObject([{ error: 'NoAnswerError: AuditTrail.record() did not answer within 10000 ms' }]);
  });
});
