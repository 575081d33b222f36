import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Session } from '../../../../src/data-sinks/persistence/database.js';
import { AutoDisable } from '../../../../src/data-sinks/pipeline/auto-disable.js';
import type { DomainEvents } from '../../../../src/data-sinks/pipeline/domain-events.js';
import { PORT_WITHIN_MS } from '../../../../src/data-sinks/pipeline/within.js';

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

describe('disabling', () => {
  it('is done, and waits no longer for an audit trail that never answers', async () => {
    const session = { query: async () => [[DISABLED], 1] } as unknown as Session;
    const told: unknown[] = [];
    const events = { emit: (name: string) => told.push(name) } as unknown as DomainEvents;
    const audit = { record: () => new Promise<never>(() => undefined) };
    const rule = { failures: 5, withinMs: 86_400_000 };
    const autoDisable = new AutoDisable(session, audit, events, { sinkDisabled: () => undefined }, rule);

    const judged = autoDisable.judge([{ dataSourceId: 'ads_1', gone: true }]).then(() => 'judged');
    await jest.advanceTimersByTimeAsync(PORT_WITHIN_MS);
    expect(await Promise.race([judged, Promise.resolve('still waiting')])).toBe('judged');
    expect(told).toHaveLength(1);
    expect(errors).toEqual([
      { event: 'sink.not_judged', sinks: 1, error: 'NoAnswerError: the audit trail did not answer within 10000 ms' },
    ]);
  });
});
