import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AuditOutbox } from '../../../../src/data-sinks/settlement/audit-outbox.js';
import { type DeliveryEnd, DeliveryEnds } from '../../../../src/data-sinks/settlement/delivery-ends.js';
import type { EventPublisher } from '../../../../src/data-sinks/settlement/event-publisher.js';
import type { Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';
import { stub } from '../../../support/stub.js';

const PUSH = {
  ...{ workspaceId: 'ws_1', agentId: 'agt_1', dataSourceId: 'ads_1', jobId: 'job_1', run: 1, trigger: 'AUTO' as const },
  ...{ part: null, attempts: 2 },
} as const;
const push = (deliveryId: string): DeliveryEnd['push'] => ({ ...PUSH, deliveryId });
const DELIVERED: DeliveryEnd = {
  ...{ push: push('dlv_1'), sinkType: 'HTTPS_WEBHOOK', status: 'DELIVERED', reason: null },
  attempt: { status: 'SUCCEEDED', errorCode: null, httpStatus: 200 },
};
const REFUSED: DeliveryEnd = {
  ...{ push: push('dlv_2'), sinkType: 'S3', status: 'FAILED', reason: 'not_retryable' },
  attempt: { status: 'HTTP_4XX', errorCode: 'rejected_by_receiver', httpStatus: 400 },
};
const UNMAKEABLE: DeliveryEnd = {
  ...{ push: { ...push('dlv_3'), part: { number: 2, of: 3 }, attempts: 0 }, status: 'FAILED' },
  ...{ sinkType: 'S3', reason: 'results_invalid', attempt: null },
};
const CANCELLED: DeliveryEnd = {
  ...{ push: push('dlv_4'), sinkType: null, status: 'CANCELLED', reason: 'plan_required', attempt: null },
};
const ALL = [DELIVERED, REFUSED, UNMAKEABLE, CANCELLED];

type Line = Readonly<Record<string, unknown>>;
let lines: [string, Line][];
beforeEach(() => {
  lines = [];
  for (const level of ['debug', 'log', 'warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void lines.push([level, line as Line]));
  }
});
afterEach(() => void jest.restoreAllMocks());

function makeEnds() {
  let notified = 0;
  const emitted: [string, object][] = [];
  const counted: string[] = [];
  const events = { emit: (name: string, event: object) => void emitted.push([name, event]) };
  const telemetry = { ended: (outcome: string, type: string | null) => void counted.push(`${type} ${outcome}`) };
  const outbox = stub<AuditOutbox>({ notify: () => void notified++ });
  const ends = new DeliveryEnds(events as EventPublisher, telemetry as unknown as Telemetry, outbox);
  return { ends, emitted, counted, notified: () => notified };
}

describe('each delivery that ended', () => {
  it('is counted by the type of its sink, and listeners hear of it', () => {
    const { ends, emitted, counted } = makeEnds();
    ends.tell(ALL);
    expect(counted).toEqual(['HTTPS_WEBHOOK delivered', 'S3 failed', 'S3 failed', 'null cancelled']);
    expect(emitted.map(([name]) => name)).toEqual([
      'DataSinkPushDelivered',
      'DataSinkPushFailed',
      'DataSinkPushFailed',
      'DataSinkPushCancelled',
    ]);
    expect(emitted[1]?.[1]).toMatchObject({
      ...{ reason: 'not_retryable', lastAttemptStatus: 'HTTP_4XX' },
      ...{ errorCode: 'rejected_by_receiver', httpStatus: 400 },
    });
    expect(emitted[2]?.[1]).toMatchObject({ reason: 'results_invalid', lastAttemptStatus: null, errorCode: null });
    expect(emitted[3]?.[1]).toEqual({ ...push('dlv_4'), reason: 'plan_required' });
  });

  it('is logged: a warning if it failed, a debug line if cancelled, else only its attempt', () => {
    makeEnds().ends.tell(ALL);
    expect(lines).toEqual([
      ['warn', expect.objectContaining({ event: 'delivery.failed', deliveryId: 'dlv_2', httpStatus: 400 })],
      ['warn', expect.objectContaining({ event: 'delivery.failed', deliveryId: 'dlv_3', part: '2/3' })],
      ['debug', expect.objectContaining({ event: 'delivery.cancelled', reason: 'plan_required' })],
    ]);
    expect(lines[1]?.[1]['message']).toBe('delivery dlv_3 of job job_1 ended FAILED: results_invalid');
  });
});

describe('the audit outbox', () => {
  it('is told once of all that ended together, and not when nothing did', () => {
    const { ends, notified } = makeEnds();
    ends.tell(ALL);
    expect(notified()).toBe(1);
    ends.tell([]);
    expect(notified()).toBe(1);
  });
});
