import { describe, expect, it } from '@jest/globals';
import { type DataSink, DEFAULT_BODY_SETTINGS } from '../../../../src/data-sinks/core/data-sink.js';
import type { JobCompleted } from '../../../../src/data-sinks/core/job-completed.js';
import type { CommitWatch } from '../../../../src/data-sinks/persistence/commit-watch.js';
import type { DataSinkRepository } from '../../../../src/data-sinks/persistence/data-sink.repository.js';
import type { Session } from '../../../../src/data-sinks/persistence/database.js';
import { DeliveryRecorder } from '../../../../src/data-sinks/pipeline/delivery-recorder.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import { InMemoryAgentDirectory } from '../../../../src/data-sinks/testing/index.js';
import type { Wakeup } from '../../../../src/data-sinks/wakeup/wakeup.js';

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
function recorder(agents: readonly Agent[], sinks: readonly DataSink[]) {
  const statements: {
    trigger: string;
    jobs: string[];
    deliveries: { sink: string; job: string; retries: number }[];
    recipes: [recipe: string, part: number, of: number][];
  }[] = [];
  const query = async (_sql: string, p: unknown[]): Promise<{ id: string }[]> => {
    const [ids, sinkIds, jobIds, retries] = [p[9], p[10], p[11], p[16]] as [string[], string[], string[], number[]];
    const deliveries = ids.map((_, i) => ({ sink: sinkIds[i] ?? '', job: jobIds[i] ?? '', retries: retries[i] ?? -1 }));
    const [recipes, parts, partCounts] = [p[17], p[18], p[19]] as [string[], number[], number[]];
    statements.push({
      ...{ trigger: String(p[0]), jobs: p[1] as string[], deliveries },
      recipes: recipes.map((recipe, i) => [recipe, parts[i] ?? -1, partCounts[i] ?? -1]),
    });
    return ids.map((id) => ({ id }));
  };
  const session = { query } as unknown as Session;
  const listWanting = async (agentIds: readonly string[]) => sinks.filter(({ agentId }) => agentIds.includes(agentId));
  const calls = { woken: 0 };
  const made = new DeliveryRecorder(
    session,
    { listWanting } as unknown as DataSinkRepository,
    new InMemoryAgentDirectory(agents),
    { notify: () => void calls.woken++ } as unknown as Wakeup,
    { afterCommit: (_session: unknown, action: () => void) => action() } as unknown as CommitWatch,
    () => `dlv_${Math.random()}`,
  );
  return { recorder: made, statements, calls };
}

describe('the recorder', () => {
  it('makes one delivery per sink of the agent, with the retries of this moment, and wakes the workers', async () => {
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
  ])('makes nothing when the agent %s, but notes that the job was heard', async (_what, agents) => {
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

  it('finds a missed completion’s sinks only among those that were there when it happened', async () => {
    const later = sink('ads_new', { createdAt: new Date(AT.getTime() + 1) });
    const { recorder: made, statements } = recorder([agent()], [sink('ads_1'), later]);
    expect(await made.recordMissed(event())).toBe(1);
    expect(statements[0]?.deliveries.map((one) => one.sink)).toEqual(['ads_1']);
  });

  it('makes one delivery per part for a sink that wants so many rows in one push', async () => {
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

  it('makes one delivery of a job of too many parts, which says so when it ends', async () => {
    const few = sink('ads_1', { config: { ...CONFIG, maxRowsPerPush: 1 } });
    const { recorder: made, statements } = recorder([agent()], [few]);
    expect(await made.record(event('job_1', { stats: { total: 1_001, matched: 1_001, unmatched: 0 } }))).toBe(1);
    expect(statements[0]?.recipes).toEqual([['JSON;rows=1;part=1/1001', 1, 1]]);
  });

  it('refuses what is not a completion before anything is asked or written', async () => {
    const { recorder: made, statements } = recorder([agent()], [sink('ads_1')]);
    await expect(made.record(event('job_1', { completedAt: 'today' as unknown as Date }))).rejects.toThrow(
      new TypeError('JobCompleted: completedAt is not a valid Date'),
    );
    expect(statements).toEqual([]);
  });

  it('pushes by hand though auto-push is off', async () => {
    const off = agent({ ruleSet: { data_sinks: { retry_failed_push: 7 } } });
    const { recorder: made, statements, calls } = recorder([off], []);
    expect(await made.recordManual(event(), sink('ads_1'), off)).toMatch(/^dlv_/);
    expect(statements).toMatchObject([
      { trigger: 'MANUAL', jobs: ['job_1'], deliveries: [{ sink: 'ads_1', job: 'job_1', retries: 7 }] },
    ]);
    expect(calls.woken).toBe(1);
  });
});
