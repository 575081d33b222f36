import { Logger } from '@nestjs/common';
import { Audit } from '../../../../src/data-sinks/database/audit/audit.js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CancelReason } from '../../../../src/data-sinks/domain/delivery.js';
import { recoveryWindow, toRecoveryReason } from '../../../../src/data-sinks/domain/recovery.js';
import { RecoveryPacer } from '../../../../src/data-sinks/recovery/recovery-pacer.js';
import { BoundAgentDirectory, BoundAuditTrail } from '../../../../src/data-sinks/ports/bound/index.js';
import type { AuditEntry } from '../../../../src/data-sinks/ports/audit-trail.js';
import { RuleSetWarnings } from '../../../../src/data-sinks/ports/bound/rule-set-warnings.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';

const never = (): Promise<never> => new Promise(() => undefined);
/** Ports that never answer, as the module binds them. */
const agents = new BoundAgentDirectory({ findAgents: never }, 10_000, new RuleSetWarnings());
const silentTrail = new BoundAuditTrail({ record: never }, 10_000);

let logged: { event?: string }[];
beforeEach(() => {
  logged = [];
  for (const level of ['log', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void logged.push(line as object));
  }
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** A database that answers each statement of a step by its kind, and says in which order they came. */
function world({ ids = ['rcv_1'], locked = true, due = 0, finished = false } = {}) {
  const state = {
    verdict: null as CancelReason | null,
    hostAway: false,
    silent: '',
    inTransaction: false,
    onCancel: (): void => undefined,
  };
  const happened: string[] = [];
  const audit: AuditEntry[] = [];
  const said = (what: string) => void happened.push(what);
  const answer = (sql: string): unknown[] => {
    if (/SELECT r\.id/.test(sql))
      return ids.map((id) => ({ id, workspaceId: 'ws_1', agentId: 'agt_1', status: 'ACTIVE', deletedAt: null }));
    if (/SKIP LOCKED$/.test(sql)) return (said('lock'), locked ? [{ status: 'RUNNING' }] : []);
    if (/SET status = 'CANCELLED'/.test(sql)) return (said('cancel'), state.onCancel(), [{ id: 'rcv_1' }]);
    if (/REDELIVERY/.test(sql)) return (said('redeliver'), Array.from({ length: due }, (_, i) => ({ id: `dlv_${i}` })));
    if (/SELECT d\.id/.test(sql))
      return Array.from({ length: due }, (_, i) => ({ id: `dlv_${i}`, workspaceId: 'ws_1' }));
    if (/finished_at = now/.test(sql)) return (said('finish'), finished ? [{ status: 'DONE', redelivered: 3 }] : []);
    return [];
  };
  const database = fakeDatabase(answer, {
    transaction: async (work) => {
      state.inTransaction = true;
      return work(database).finally(() => (state.inTransaction = false));
    },
  });
  const gate = {
    judge: async (asked: readonly unknown[]) => {
      if (state.silent === 'gate') await agents.findAgents([]);
      if (state.hostAway) throw new Error('host away');
      expect(state.inTransaction).toBe(false);
      said(`judge ${asked.length}`);
      return asked.map(() => state.verdict);
    },
  };
  const trail = {
    record: async (entries: readonly AuditEntry[]) =>
      state.silent === 'audit' ? silentTrail.record(entries) : void audit.push(...entries),
  };
  const wakeup = { notify: () => said('wake') };
  const options = { maxInFlightPerSink: 2 };
  return {
    state,
    happened,
    audit,
    pacer: new RecoveryPacer(database, stub(gate), new Audit(trail), stub(wakeup), stub(options)),
  };
}

describe('the recovery pacer', () => {
  it('calls no port without recoveries', async () => {
    const { pacer, happened } = world({ ids: [] });
    await pacer.look();
    expect(happened).toEqual([]);
  });

  it('makes the next deliveries due and wakes the workers after the commit', async () => {
    const { pacer, happened } = world({ due: 2 });
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock', 'redeliver', 'wake']);
  });

  it('finishes and logs an exhausted recovery', async () => {
    const { pacer, happened } = world({ finished: true });
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock', 'finish']);
    expect(logged).toMatchObject([{ event: 'recovery.finished', recoveryId: 'rcv_1', status: 'DONE', redelivered: 3 }]);
  });

  it('skips a recovery that another process has locked', async () => {
    const { pacer, happened } = world({ locked: false, due: 2 });
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock']);
  });

  it.each(['sink_inactive', 'agent_inactive', 'plan_required'] as const)('cancels, on record: %s', async (verdict) => {
    const { pacer, happened, audit, state } = world();
    state.verdict = verdict;
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock', 'cancel', 'finish']);
    expect(audit).toMatchObject([
      {
        ...{ action: 'RECOVERY_CANCELLED', agentId: 'agt_1', actor: { type: 'agent', id: 'agt_1' } },
        details: { recoveryId: 'rcv_1', reason: verdict },
      },
    ]);
  });

  it('calls the host once for all recoveries, and does nothing while it is unavailable', async () => {
    const { pacer, happened, state } = world({ ids: ['rcv_1', 'rcv_2'], due: 1 });
    state.hostAway = true;
    await expect(pacer.look()).rejects.toThrow('host away');
    expect(happened).toEqual([]);
    state.hostAway = false;
    await pacer.look();
    expect(happened[0]).toBe('judge 2');
    expect(happened.filter((what) => what === 'redeliver')).toHaveLength(2);
  });

  it.each(['gate', 'audit'])(
    'ends when the %s never answers, holds nothing and goes on with the next',
    async (silent) => {
      jest.useFakeTimers();
      const { pacer, happened, state } = world({ finished: true });
      Object.assign(state, { silent, verdict: 'agent_inactive' });
      const looking = expect(pacer.look()).rejects.toThrow('did not answer');
      await jest.advanceTimersByTimeAsync(10_000);
      await looking;
      expect(state.inTransaction).toBe(false);
      state.silent = '';
      await pacer.look();
      expect(happened.slice(-3)).toEqual(['lock', 'cancel', 'finish']);
    },
  );

  it('stops after the current recovery when told to stop', async () => {
    const { pacer, happened, state } = world({ ids: ['rcv_1', 'rcv_2'] });
    state.verdict = 'plan_required';
    const stop = { aborted: false };
    state.onCancel = () => void (stop.aborted = true);
    await pacer.look(stop);
    expect(happened).toEqual(['judge 2', 'lock', 'cancel', 'finish']);
  });
});

it('uses a window of four times the sink’s concurrency', () => {
  expect(recoveryWindow(16)).toBe(64);
});

it('ignores the auto-push rule', () => {
  expect(toRecoveryReason('plan_required')).toBe('plan_required');
  expect(() => toRecoveryReason('auto_push_off')).toThrow('not bound');
});
