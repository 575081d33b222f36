import { Logger } from '@nestjs/common';
import { Audit } from '../../../../src/data-sinks/database/audit/audit.js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SinkCircuit } from '../../../../src/data-sinks/settlement/sink-circuit.js';
import { aClaimedDelivery } from '../delivery/claimed.js';
import type { EventPublisher } from '../../../../src/data-sinks/settlement/event-publisher.js';
import { BoundAuditTrail } from '../../../../src/data-sinks/ports/bound/index.js';
import { resolveOptions } from '../../../../src/data-sinks/data-sinks.options.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import type { AttemptEnd } from '../../../../src/data-sinks/domain/attempt-end.js';
import { stub } from '../../../support/stub.js';
import type { Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';

let errors: unknown[];
beforeEach(() => {
  errors = [];
  jest.useFakeTimers();
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const DISABLED = { workspace_id: 'ws_1', agent_id: 'agt_1', id: 'ads_1', disabled_reason: 'GONE', failures: 1 };

describe('disabling a sink', () => {
  it('does not wait for an audit trail that never answers', async () => {
    const told: unknown[] = [];
    const events = { emit: (name: string) => told.push(name) } as unknown as EventPublisher;
    const audit = new Audit(new BoundAuditTrail({ record: () => new Promise<never>(() => undefined) }, 10_000));
    const telemetry = stub<Telemetry>({ sinkDisabled: () => undefined });
    const circuit = new SinkCircuit(
      fakeDatabase(() => [DISABLED]),
      stub({}),
      audit,
      events,
      telemetry,
      resolveOptions({}),
    );
    const failed = {
      delivery: aClaimedDelivery({ dataSourceId: 'ads_1' }),
      closing: { httpStatus: 410 },
    } as AttemptEnd;

    const judged = circuit.disable([failed]).then(() => 'judged');
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await Promise.race([judged, Promise.resolve('still waiting')])).toBe('judged');
    expect(told).toHaveLength(1);
    expect(errors).toMatchObject([
      {
        event: 'sink.not_judged',
        sinks: 1,
        error: 'NoAnswerError: AuditTrail.record() did not answer within 10000 ms',
      },
    ]);
  });
});
