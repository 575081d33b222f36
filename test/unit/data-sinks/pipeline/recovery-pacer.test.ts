import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CancelReason } from '../../../../src/data-sinks/core/delivery.js';
import { recoveryWindow, toRecoveryReason } from '../../../../src/data-sinks/core/recovery.js';
import type { Session } from '../../../../src/data-sinks/persistence/database.js';
import { RecoveryPacer } from '../../../../src/data-sinks/pipeline/recovery-pacer.js';
import type { AuditEntry } from '../../../../src/data-sinks/ports/audit-trail.js';

const POLL_MS = 1_000;
const never = new Promise<never>(() => undefined);

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
    if (/SELECT r\.id/.test(sql)) return ids.map((id) => ({ id, workspace_id: 'ws_1', agent_id: 'agt_1' }));
    if (/SKIP LOCKED$/.test(sql)) return (said('lock'), locked ? [{ status: 'RUNNING' }] : []);
    if (/SET status = 'CANCELLED'/.test(sql)) return (said('cancel'), state.onCancel(), [{ id: 'rcv_1' }]);
    if (/REDELIVERY/.test(sql)) return (said('redeliver'), Array.from({ length: due }, (_, i) => ({ id: `dlv_${i}` })));
    if (/SELECT d\.id/.test(sql))
      return Array.from({ length: due }, (_, i) => ({ id: `dlv_${i}`, workspace_id: 'ws_1' }));
    if (/finished_at = now/.test(sql)) return (said('finish'), finished ? [{ status: 'DONE', redelivered: 3 }] : []);
    return [];
  };
  const session = {
    query: async (sql: string) => answer(sql),
    transaction: async (work: (transaction: unknown) => Promise<unknown>) => {
      state.inTransaction = true;
      return work(session).finally(() => (state.inTransaction = false));
    },
  } as unknown as Session;
  const gate = {
    judge: async (asked: readonly unknown[]) => {
      if (state.silent === 'gate') return never;
      if (state.hostAway) throw new Error('host away');
      expect(state.inTransaction).toBe(false);
      said(`judge ${asked.length}`);
      return asked.map(() => state.verdict);
    },
  };
  const trail = {
    record: async (entries: readonly AuditEntry[]) => (state.silent === 'audit' ? never : void audit.push(...entries)),
  };
  const wakeup = { notify: () => said('wake') };
  const options = { pollMs: POLL_MS, maxInFlightPerSink: 2 };
  return { state, happened, audit, pacer: new RecoveryPacer(session, gate, trail, wakeup, options) };
}

describe('a look at the recoveries', () => {
  it('asks nobody when there is none', async () => {
    const { pacer, happened } = world({ ids: [] });
    await pacer.look();
    expect(happened).toEqual([]);
  });

  it('makes the next ones due and wakes the workers after the commit', async () => {
    const { pacer, happened } = world({ due: 2 });
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock', 'redeliver', 'wake']);
  });

  it('finishes one of which nothing is left, and says so', async () => {
    const { pacer, happened } = world({ finished: true });
    await pacer.look();
    expect(happened).toEqual(['judge 1', 'lock', 'finish']);
    expect(logged).toEqual([{ event: 'recovery.finished', recoveryId: 'rcv_1', status: 'DONE', redelivered: 3 }]);
  });

  it('leaves one alone that another process has in hand', async () => {
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

  it('asks the host for all at once, and does nothing while it is away', async () => {
    const { pacer, happened, state } = world({ ids: ['rcv_1', 'rcv_2'], due: 1 });
    state.hostAway = true;
    await pacer.look();
    await pacer.look();
    expect(happened).toEqual([]);
    expect(logged.map(({ event }) => event)).toEqual(['recoveries.unavailable']);
    state.hostAway = false;
    await pacer.look();
    expect(happened[0]).toBe('judge 2');
    expect(happened.filter((what) => what === 'redeliver')).toHaveLength(2);
    expect(logged.at(-1)).toMatchObject({ event: 'recoveries.available_again' });
  });

  it.each(['gate', 'audit'])(
    'ends when the %s never answers, holds nothing and goes on with the next',
    async (silent) => {
      jest.useFakeTimers();
      const { pacer, happened, state } = world({ finished: true });
      Object.assign(state, { silent, verdict: 'agent_inactive' });
      const looking = pacer.look();
      await jest.advanceTimersByTimeAsync(10_000);
      await looking;
      expect(state.inTransaction).toBe(false);
      expect(logged).toMatchObject([
        { event: 'recoveries.unavailable', error: expect.stringContaining('did not answer') },
      ]);
      state.silent = '';
      await pacer.look();
      expect(happened.slice(-3)).toEqual(['lock', 'cancel', 'finish']);
    },
  );

  it('is one at a time', async () => {
    const { pacer, happened } = world();
    await Promise.all([pacer.look(), pacer.look()]);
    expect(happened.filter((what) => what === 'lock')).toHaveLength(1);
  });

  it('that is told to stop ends after the recovery that it is at', async () => {
    const { pacer, happened, state } = world({ ids: ['rcv_1', 'rcv_2'] });
    state.verdict = 'plan_required';
    state.onCancel = () => void pacer.stop();
    await pacer.look();
    expect(happened).toEqual(['judge 2', 'lock', 'cancel', 'finish']);
  });

  it('comes by itself until it is stopped', async () => {
    jest.useFakeTimers();
    const { pacer, happened } = world();
    const looks = (): number => happened.filter((what) => what === 'lock').length;
    pacer.start();
    await jest.advanceTimersByTimeAsync(3 * POLL_MS);
    expect(looks()).toBe(3);
    await pacer.stop();
    await jest.advanceTimersByTimeAsync(3 * POLL_MS);
    expect(looks()).toBe(3);
  });
});

it('a recovery’s window is four times what its sink takes at once', () => {
  expect(recoveryWindow(16)).toBe(64);
});

it('the auto-push rule binds no recovery', () => {
  expect(toRecoveryReason('plan_required')).toBe('plan_required');
  expect(() => toRecoveryReason('auto_push_off')).toThrow('not bound');
});
