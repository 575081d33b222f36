import { describe, expect, it, jest } from '@jest/globals';
import { type DataSink, DEFAULT_BODY_SETTINGS } from '../../../../src/data-sinks/domain/data-sink.js';
import type { ClaimedDelivery } from '../../../../src/data-sinks/domain/claimed-delivery.js';
import type { JobCompleted } from '../../../../src/data-sinks/domain/job-completed.js';
import type { TraceContext } from '../../../../src/data-sinks/domain/trace-context.js';
import type { DataSinkRepository } from '../../../../src/data-sinks/sinks/data-sink.repository.js';
import { DeliveryRecorder } from '../../../../src/data-sinks/intake/delivery-recorder.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import { BoundAgentDirectory } from '../../../../src/data-sinks/ports/bound/index.js';
import { InMemoryAgentDirectory } from '../../../../src/data-sinks/testing/index.js';
import { RuleSetWarnings } from '../../../../src/data-sinks/ports/bound/rule-set-warnings.js';
import { Handover } from '../../../../src/data-sinks/queue/handover.js';
import { ThisWorker } from '../../../../src/data-sinks/queue/this-worker.js';
import { stub } from '../../../support/stub.js';
import type { Wakeup } from '../../../../src/data-sinks/queue/wakeup/wakeup.js';
import { fakeDatabase } from '../../../support/fake-database.js';

const AT = new Date('2026-05-25T12:34:56Z');
const CONFIG = { ...DEFAULT_BODY_SETTINGS } as DataSink['config'];
const event = (jobId = 'job_1', given: Partial<JobCompleted> = {}): JobCompleted => ({
  ...{ jobId, agentId: 'agt_1', workspaceId: 'ws_1', completedAt: AT },
  stats: { total: 1, matched: 1, unmatched: 0 },
  ...given,
});
const sink = (id: string, given: Partial<DataSink> = {}) =>
  ({ id, workspaceId: 'ws_1', agentId: 'agt_1', format: 'JSON', config: CONFIG, createdAt: AT, ...given }) as DataSink;
const agent = (given: Partial<Agent> = {}): Agent => ({
  ...{ id: 'agt_1', workspaceId: 'ws_1', active: true },
  ruleSet: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 4 } },
  ...given,
});

/** Takes the recorder's one statement apart: the deliveries it was given, all of which it makes. */
function recorder(
  agents: readonly Agent[],
  sinks: readonly DataSink[],
  active: () => TraceContext | null = () => null,
  handover = new Handover(),
) {
  const statements: {
    trigger: string;
    jobs: string[];
    deliveries: { sink: string; job: string; retries: number }[];
    recipes: [recipe: string, part: number, of: number][];
  }[] = [];
  const leases: number[] = [];
  const query = async (_sql: string, p: unknown[]): Promise<{ id: string }[]> => {
    const [ids, sinkIds, jobIds, retries] = [p[11], p[12], p[13], p[18]] as [string[], string[], string[], number[]];
    const deliveries = ids.map((_, i) => ({ sink: sinkIds[i] ?? '', job: jobIds[i] ?? '', retries: retries[i] ?? -1 }));
    traces.push({ traceparent: p[9], tracestate: p[10] });
    const [recipes, parts, partCounts] = [p[19], p[20], p[21]] as [string[], number[], number[]];
    statements.push({
      ...{ trigger: String(p[0]), jobs: p[2] as string[], deliveries },
      recipes: recipes.map((recipe, i) => [recipe, parts[i] ?? -1, partCounts[i] ?? -1]),
    });
    const tokens = p[22] as (string | null)[] | undefined;
    leases.push(tokens?.filter((token) => token !== null).length ?? 0);
    return ids.map((id, i) => ({ id, leased: (tokens?.[i] ?? null) !== null, at_ms: 1_000 }));
  };
  const listOfAgents = async (agents: readonly { readonly agentId: string }[]) =>
    sinks.filter((one) => agents.some(({ agentId }) => agentId === one.agentId));
  const calls = { woken: 0 };
  const traces: { traceparent: unknown; tracestate: unknown }[] = [];
  const made = new DeliveryRecorder(
    fakeDatabase(query, { hearsOfCommit: true }),
    { listOfAgents } as unknown as DataSinkRepository,
    new BoundAgentDirectory(new InMemoryAgentDirectory(agents), 30_000, new RuleSetWarnings()),
    { notify: () => void calls.woken++ } as unknown as Wakeup,
    handover,
    new ThisWorker(),
    () => `dlv_${Math.random()}`,
    active,
    stub({ leaseMs: 60_000, maxInFlightPerSink: 16, maxInFlightPerWorkspace: 256 }),
  );
  return { recorder: made, statements, traces, calls, leases };
}

describe('the recorder', () => {
  it('creates one delivery per sink of the agent with the current number of retries, and wakes the workers', async () => {
    const {
      recorder: made,
      statements,
      calls,
    } = recorder([agent()], [sink('ads_1'), sink('ads_2'), sink('ads_x', { agentId: 'agt_2' })]);
    expect(await made.record(event())).toBe(2);
    expect(statements).toMatchObject([
      {
        trigger: 'AUTO',
        jobs: ['job_1'],
        deliveries: [
          { sink: 'ads_1', job: 'job_1', retries: 4 },
          { sink: 'ads_2', job: 'job_1', retries: 4 },
        ],
      },
    ]);
    expect(calls.woken).toBe(1);
  });

  it.each<[string, readonly Agent[]]>([
    ['is paused', [agent({ active: false })]],
    ['has auto-push off', [agent({ ruleSet: { data_sinks: { auto_push_on_job_complete: false } } })]],
    ['has no rules', [agent({ ruleSet: null })]],
    ['has rules that do not parse', [agent({ ruleSet: { data_sinks: { auto_push_on_job_complete: 'true' } } })]],
    ['is not known', []],
  ])('creates no delivery when the agent %s, but records the completion', async (_what, agents) => {
    const { recorder: made, statements, calls } = recorder(agents, [sink('ads_1')]);
    expect(await made.record(event())).toBe(0);
    expect(statements).toMatchObject([{ trigger: 'AUTO', jobs: ['job_1'], deliveries: [] }]);
    expect(calls.woken).toBe(0);
  });

  it('sends nothing to a sink of another workspace, whatever the event says', async () => {
    const { recorder: made } = recorder([agent()], [sink('ads_1')]);
    expect(await made.record(event('job_1', { workspaceId: 'ws_2' }))).toBe(0);
  });

  it('writes completions that arrive together in one statement', async () => {
    const { recorder: made, statements } = recorder([agent()], [sink('ads_1')]);
    expect(await Promise.all([made.record(event('job_1')), made.record(event('job_2'))])).toEqual([1, 1]);
    expect(statements.map(({ jobs }) => jobs)).toEqual([['job_1', 'job_2']]);
  });

  it('for a missed completion, uses only the sinks that existed when the job completed', async () => {
    const later = sink('ads_new', { createdAt: new Date(AT.getTime() + 1) });
    const { recorder: made, statements } = recorder([agent()], [sink('ads_1'), later]);
    expect(await made.recordMissed(event())).toBe(1);
    expect(statements[0]?.deliveries.map((one) => one.sink)).toEqual(['ads_1']);
  });

  it('creates one delivery per part for a sink with maxRowsPerPush', async () => {
    const { recorder: made, statements } = recorder(
      [agent()],
      [sink('ads_1'), sink('ads_2', { format: 'CSV', config: { ...CONFIG, compression: 'gzip', maxRowsPerPush: 5 } })],
    );
    expect(await made.record(event('job_1', { stats: { total: 12, matched: 12, unmatched: 0 } }))).toBe(4);
    expect(statements[0]?.recipes).toEqual([
      ['JSON', 1, 1],
      ['CSV;gzip;rows=5;part=1/3', 1, 3],
      ['CSV;gzip;rows=5;part=2/3', 2, 3],
      ['CSV;gzip;rows=5;part=3/3', 3, 3],
    ]);
  });

  it('creates one delivery for a job with too many parts, which then fails with that reason', async () => {
    const few = sink('ads_1', { config: { ...CONFIG, maxRowsPerPush: 1 } });
    const { recorder: made, statements } = recorder([agent()], [few]);
    expect(await made.record(event('job_1', { stats: { total: 1_001, matched: 1_001, unmatched: 0 } }))).toBe(1);
    expect(statements[0]?.recipes).toEqual([['JSON;rows=1;part=1/1001', 1, 1]]);
  });

  it('writes many parts of many jobs in several statements, each job in one', async () => {
    const some = sink('ads_1', { config: { ...CONFIG, maxRowsPerPush: 1 } });
    const { recorder: made, statements, calls } = recorder([agent()], [some, sink('ads_2')]);
    const parts = [1_000, 1_000, 1_000, 1_000, 995, 1, 1_000];
    const stats = (total: number): JobCompleted['stats'] => ({ total, matched: total, unmatched: 0 });
    const recorded = parts.map((total, i) => made.record(event(`job_${i}`, { stats: stats(total) })));
    expect(await Promise.all(recorded)).toEqual(parts.map((count) => count + 1));
    expect(statements.map(({ jobs, recipes }) => [jobs, recipes.length])).toEqual([
      [['job_0', 'job_1', 'job_2', 'job_3', 'job_4'], 5_000],
      [['job_5', 'job_6'], 1_003],
    ]);
    expect(calls.woken).toBe(2);
  });

  it('refuses an invalid event before it calls the host or writes', async () => {
    const { recorder: made, statements } = recorder([agent()], [sink('ads_1')]);
    await expect(made.record(event('job_1', { completedAt: 'today' as unknown as Date }))).rejects.toThrow(
      new TypeError('JobCompleted: completedAt is not a valid Date'),
    );
    expect(statements).toEqual([]);
  });

  it('uses the rules and sinks of the completion’s workspace if another one has the same ids', async () => {
    const off = agent({ workspaceId: 'ws_2', ruleSet: {} });
    const { recorder: made, statements } = recorder(
      [agent(), off],
      [sink('ads_1'), sink('ads_2', { workspaceId: 'ws_2' })],
    );
    expect(await Promise.all([made.record(event()), made.record(event('job_1', { workspaceId: 'ws_2' }))])).toEqual([
      1, 0,
    ]);
    expect(statements).toMatchObject([{ jobs: ['job_1', 'job_1'], deliveries: [{ sink: 'ads_1', retries: 4 }] }]);
  });

  it('a manual push ignores the auto-push rule', async () => {
    const off = agent({ ruleSet: { data_sinks: { retry_failed_push: 7 } } });
    const { recorder: made, statements, calls } = recorder([off], []);
    expect(await made.recordManual(event(), sink('ads_1'), off)).toMatch(/^dlv_/);
    expect(statements).toMatchObject([
      { trigger: 'MANUAL', jobs: ['job_1'], deliveries: [{ sink: 'ads_1', job: 'job_1', retries: 7 }] },
    ]);
    expect(calls.woken).toBe(1);
  });
});

describe('an agent directory that never answers', () => {
  it.each([
    ['a completion', undefined],
    ['one in the host’s transaction', {}],
  ])('fails %s in time, and the next one is recorded', async (_what, transaction) => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    const directory = jest.spyOn(InMemoryAgentDirectory.prototype, 'findAgents');
    try {
      directory.mockImplementationOnce(() => new Promise(() => undefined));
      const { recorder: made } = recorder([agent()], [sink('ads_1')]);
      const hung = Promise.allSettled([made.record(event('job_1'), transaction)]);
      while (directory.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const next = made.record(event('job_2'));
      await jest.advanceTimersByTimeAsync(30_000);
      expect(await hung).toMatchObject([
        { status: 'rejected', reason: { message: 'AgentDirectory.findAgents() did not answer within 30000 ms' } },
      ]);
      expect(await next).toBe(1);
    } finally {
      directory.mockRestore();
      jest.useRealTimers();
    }
  });
});

describe('the trace of a completion', () => {
  const [mine, active] = ['1', '2'].map((digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
  const tracing = (): ReturnType<typeof recorder> =>
    recorder([agent()], [sink('ads_1')], () => ({ traceparent: active ?? '', tracestate: 'vendor=active' }));

  it.each<[string, TraceContext | undefined, unknown, unknown]>([
    ['its own', { traceparent: mine ?? '', tracestate: 'vendor=own' }, mine, 'vendor=own'],
    ['its own, without a state', { traceparent: mine ?? '' }, mine, null],
    ['the one that is active where it is recorded', undefined, active, 'vendor=active'],
    ['none, when its own is malformed', { traceparent: 'rubbish' }, null, null],
    ['none, when its own is null', null as unknown as undefined, null, null],
    ['its own without the state, when that is malformed', { traceparent: mine ?? '', tracestate: '\0' }, mine, null],
  ])('is %s', async (_which, traceContext, traceparent, tracestate) => {
    const { recorder: made, traces } = tracing();
    expect(await made.record(event('job_1', { traceContext }))).toBe(1);
    expect(traces).toEqual([{ traceparent: [traceparent], tracestate: [tracestate] }]);
  });

  it('is taken where each completion is recorded, though they are written together', async () => {
    let calls = 0;
    const contexts = [mine, active];
    const { recorder: made, traces } = recorder([agent()], [sink('ads_1')], () => ({
      traceparent: contexts[calls++] ?? '',
    }));
    await Promise.all([made.record(event('job_1')), made.record(event('job_2'))]);
    expect(traces).toEqual([{ traceparent: [mine, active], tracestate: [null, null] }]);
  });

  it('is not that of the sweep or of a manual push', async () => {
    const { recorder: made, traces } = tracing();
    await made.recordMissed(event('job_1'));
    await made.recordManual(event('job_2'), sink('ads_1'), agent());
    await made.recordManual(event('job_3', { traceContext: { traceparent: mine ?? '' } }), sink('ads_1'), agent());
    expect(traces.map(({ traceparent }) => traceparent)).toEqual([[null], [null], [mine]]);
  });
});

describe('a recorder beside a worker that has room', () => {
  const free = { status: 'ACTIVE', pausedUntil: null, failuresInRow: 0, secret: { id: 'sec_1' }, previousSecret: null };
  const freeSink = (id: string, given = {}) => sink(id, { ...free, ...given } as unknown as Partial<DataSink>);

  function besideWorker(sinks: readonly DataSink[], room = 10, inFlight = 0) {
    const taken: ClaimedDelivery[] = [];
    const handover = new Handover();
    const heard: string[] = [];
    handover.open({
      room: () => room,
      inFlightOf: () => inFlight,
      answered: () => void heard.push('the time'),
      take: (deliveries) => {
        heard.push('deliveries');
        taken.push(...deliveries);
      },
    });
    return { ...recorder([agent()], sinks, () => null, handover), taken, handover, heard };
  }

  it('leases what it records to it, and wakes nobody', async () => {
    const { recorder: made, taken, calls } = besideWorker([freeSink('ads_1')]);
    expect(await made.record(event())).toBe(1);
    expect(taken).toMatchObject([
      {
        dataSourceId: 'ads_1',
        jobId: 'job_1',
        retriesAllowed: 4,
        handedOver: true,
        payload: null,
        sink: { secretId: 'sec_1' },
      },
    ]);
    expect(calls.woken).toBe(0);
  });

  it.each<[string, object]>([
    ['is disabled', { status: 'DISABLED' }],
    ['is paused', { pausedUntil: AT }],
    ['has failed since it last answered', { failuresInRow: 1 }],
    ['has a pace of its own', { config: { ...CONFIG, maxPushesPerSecond: 5 } }],
  ])('leaves what is for a sink that %s to the claims', async (_what, given) => {
    const { recorder: made, taken, calls } = besideWorker([freeSink('ads_1', given)]);
    expect(await made.record(event())).toBe(1);
    expect([taken, calls.woken]).toEqual([[], 1]);
  });

  it('leaves all to the claims when there is room for less than it records', async () => {
    const { recorder: made, taken, calls, leases } = besideWorker([freeSink('ads_1'), freeSink('ads_2')], 1);
    await made.record(event());
    expect([taken, calls.woken, leases]).toEqual([[], 1, [0]]);
  });

  it('asks for no lease where the worker has as much of the sink in flight as the cap allows', async () => {
    const { recorder: made, taken, calls, leases } = besideWorker([freeSink('ads_1')], 10, 16);
    await made.record(event());
    expect([taken, calls.woken, leases]).toEqual([[], 1, [0]]);
  });

  it('passes on the database’s time when it answers, before the commit and its deliveries', async () => {
    const { recorder: made, heard } = besideWorker([freeSink('ads_1')]);
    await made.record(event());
    expect(heard).toEqual(['the time', 'deliveries']);
  });

  it('leaves all to the claims once the worker has stopped', async () => {
    const { recorder: made, taken, calls, handover } = besideWorker([freeSink('ads_1')]);
    handover.close();
    await made.record(event());
    expect([taken, calls.woken]).toEqual([[], 1]);
  });
});
