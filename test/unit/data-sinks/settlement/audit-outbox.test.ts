import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Audit } from '../../../../src/data-sinks/database/audit/audit.js';
import type { AuditEntry } from '../../../../src/data-sinks/ports/audit-trail.js';
import { AuditOutbox } from '../../../../src/data-sinks/settlement/audit-outbox.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { Outages } from '../../../../src/data-sinks/telemetry/outages.js';
import { stub } from '../../../support/stub.js';
import { InMemoryAuditTrail } from '../../../../src/data-sinks/testing/index.js';

const ENDED = {
  ...{
    ended_ms: Date.UTC(2026, 4, 25),
    workspace_id: 'ws_1',
    agent_id: 'agt_1',
    data_source_id: 'ads_1',
    job_id: 'job_1',
  },
  ...{ run: 1, recipe: 'JSON', trigger: 'AUTO', attempt_count: 2 },
};
const NO_ATTEMPT = { attempt_status: null, error_code: null, http_status: null };
const ROWS = [
  {
    ...{ ...ENDED, seq: '1', id: 'dlv_1', status: 'DELIVERED', reason: null },
    ...{ attempt_status: 'SUCCEEDED', error_code: null, http_status: 200 },
  },
  {
    ...{ ...ENDED, seq: '2', id: 'dlv_2', status: 'FAILED', reason: 'not_retryable' },
    ...{ attempt_status: 'HTTP_4XX', error_code: 'rejected_by_receiver', http_status: 400 },
  },
  { ...ENDED, ...NO_ATTEMPT, seq: '3', id: 'dlv_3', status: 'CANCELLED', reason: 'plan_required' },
];

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const level of ['log', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(({ event }: { event: string }) => void lines.push(event));
  }
});
afterEach(() => void jest.restoreAllMocks());

/** An outbox over a table that is a list. */
function outboxOf(trail: InMemoryAuditTrail) {
  const table = new Map(ROWS.map((row) => [row.seq, { ...row, taken: false }]));
  const query = async (sql: string, [first]: unknown[] = []): Promise<unknown> => {
    if (sql.startsWith('DELETE')) for (const seq of first as string[]) table.delete(seq);
    else if (/taken_until = NULL/.test(sql))
      for (const row of table.values()) row.taken &&= !(first as string[]).includes(row.seq);
    else {
      const free = [...table.values()].filter(({ taken }) => !taken);
      for (const row of free) row.taken = true;
      return free.toReversed();
    }
    return [];
  };
  return {
    outbox: new AuditOutbox(fakeDatabase(query), new Audit(trail), new Outages(stub({ ownFailure: () => undefined }))),
    table,
  };
}

describe('what the outbox holds', () => {
  it('goes to the audit trail in the order in which it ended, by the agent, and is then gone', async () => {
    const trail = new InMemoryAuditTrail();
    const { outbox, table } = outboxOf(trail);
    await outbox.pass();
    expect(trail.entries.map(({ action, deliveryId, details }) => [action, deliveryId, details])).toEqual([
      [
        ...['AGENT_RESULTS_PUSHED', 'dlv_1'],
        { jobId: 'job_1', trigger: 'AUTO', attempts: 2, status: 'SUCCEEDED', httpStatus: 200 },
      ],
      [
        ...['AGENT_RESULTS_PUSH_FAILED', 'dlv_2'],
        {
          ...{ jobId: 'job_1', trigger: 'AUTO', attempts: 2, reason: 'not_retryable', status: 'HTTP_4XX' },
          ...{ httpStatus: 400, errorCode: 'rejected_by_receiver' },
        },
      ],
      [
        'AGENT_RESULTS_PUSH_CANCELLED',
        'dlv_3',
        { jobId: 'job_1', trigger: 'AUTO', attempts: 2, reason: 'plan_required' },
      ],
    ]);
    for (const { actor, ip } of trail.entries) expect([actor, ip]).toEqual([{ type: 'agent', id: 'agt_1' }, null]);
    expect(table.size).toBe(0);
  });

  it('has ids that stay the same, however often it is given to the trail', async () => {
    const trails = [new InMemoryAuditTrail(), new InMemoryAuditTrail()];
    for (const trail of trails) await outboxOf(trail).outbox.pass();
    const [first, second] = trails.map(({ entries }) => entries.map(({ id }) => id));
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(3);
    for (const id of first ?? []) expect(id).toMatch(/^aud_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });

  it('waits while the trail is away, which is told once, and goes when it is back', async () => {
    let away = true;
    class Away extends InMemoryAuditTrail {
      override async record(entries: readonly AuditEntry[]): Promise<void> {
        if (away) throw new Error('audit away');
        return super.record(entries);
      }
    }
    const trail = new Away();
    const { outbox, table } = outboxOf(trail);
    await expect(outbox.pass()).rejects.toThrow('audit away');
    await expect(outbox.pass()).rejects.toThrow('audit away');
    expect([lines, table.size]).toEqual([['audit.unavailable'], 3]);
    away = false;
    await outbox.pass();
    expect([lines, table.size, trail.entries.length]).toEqual([['audit.unavailable', 'audit.available_again'], 0, 3]);
  });

  it('goes with the stop of its process, too', async () => {
    const trail = new InMemoryAuditTrail();
    const { outbox } = outboxOf(trail);
    outbox.notify();
    await outbox.stop();
    expect(trail.entries).toHaveLength(3);
  });
});
