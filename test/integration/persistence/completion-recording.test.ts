import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import {
  findUnheard,
  type NewDelivery,
  type NumberedCompletion,
  recordCompletions,
} from '../../../src/data-sinks/intake/delivery-recorder.sql.js';
import { ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const completion = (jobId: string, run = 1): NumberedCompletion => ({
  jobId,
  run,
  agentId: 'agt_1',
  workspaceId: 'ws_1',
  completedAt: new Date('2026-05-25T12:34:56.789Z'),
  stats: { total: 12_000, matched: 11_540, unmatched: 460 },
});

const delivery = ({ jobId, run }: NumberedCompletion, dataSourceId: string): NewDelivery => ({
  id: newId('delivery'),
  dataSourceId,
  jobId,
  run,
  workspaceId: 'ws_1',
  agentId: 'agt_1',
  format: 'JSON',
  retriesAllowed: 2,
  recipe: 'JSON',
  part: 1,
  partCount: 1,
});

function record(
  trigger: 'AUTO' | 'MANUAL',
  completions: readonly NumberedCompletion[],
  sinks: readonly string[],
): Promise<string[]> {
  const deliveries = completions.flatMap((one) => sinks.map((sink) => delivery(one, sink)));
  return recordCompletions(databaseOf(database.manager), trigger, completions, deliveries);
}

const deliveries = () =>
  database.all<{ data_source_id: string; job_id: string; run: number; trigger: string }>(
    'SELECT data_source_id, job_id, run, trigger FROM agent_data_source_delivery ORDER BY job_id, run, data_source_id',
  );

describe('a completion', () => {
  it('creates a delivery per interested sink, due at once', async () => {
    const ids = await record('AUTO', [completion('job_1')], ['ads_1', 'ads_2']);
    expect(ids).toHaveLength(2);
    expect(await database.one('delivery', ids[0] ?? '')).toMatchObject({
      workspace_id: 'ws_1',
      agent_id: 'agt_1',
      job_id: 'job_1',
      run: 1,
      format: 'JSON',
      trigger: 'AUTO',
      status: 'PENDING',
      attempt_count: 0,
      retries_allowed: 2,
      retries_spent: 0,
      settled_at: null,
    });
    const [job] = await database.all('SELECT * FROM agent_data_source_job');
    expect(job).toMatchObject({
      job_id: 'job_1',
      completed_at: new Date('2026-05-25T12:34:56.789Z'),
      total: '12000',
      matched: '11540',
      unmatched: '460',
      heard_at: expect.any(Date),
    });
  });

  it('recorded twice creates nothing the second time', async () => {
    await record('AUTO', [completion('job_1')], ['ads_1']);
    expect(await record('AUTO', [completion('job_1')], ['ads_1'])).toEqual([]);
    expect(await deliveries()).toHaveLength(1);
  });

  it('recorded again creates nothing for a sink that was added since', async () => {
    await record('AUTO', [completion('job_1')], ['ads_1']);
    expect(await record('AUTO', [completion('job_1')], ['ads_1', 'ads_new'])).toEqual([]);
  });

  it('without an interested sink is recorded, too', async () => {
    expect(await record('AUTO', [completion('job_1')], [])).toEqual([]);
    expect(await record('AUTO', [completion('job_1')], ['ads_new'])).toEqual([]);
    expect(await findUnheard(databaseOf(database.manager), [completion('job_1')])).toEqual([]);
  });

  it('of another run of the same job is another completion', async () => {
    await record('AUTO', [completion('job_1')], ['ads_1']);
    expect(await record('AUTO', [completion('job_1', 2)], ['ads_1'])).toHaveLength(1);
    expect((await deliveries()).map(({ run }) => run)).toEqual([1, 2]);
  });

  it('is recorded together with others in one statement, each with its own deliveries', async () => {
    await record('AUTO', [completion('job_2')], ['ads_1']);
    const made = await record('AUTO', [completion('job_1'), completion('job_2'), completion('job_3')], ['ads_1']);
    expect(made).toHaveLength(2);
    expect((await deliveries()).map(({ job_id: job }) => job)).toEqual(['job_1', 'job_2', 'job_3']);
  });

  it('rolled back with the host’s transaction is not recorded', async () => {
    const rolledBack = database.dataSource.transaction(async (manager) => {
      const one = completion('job_1');
      await recordCompletions(databaseOf(manager), 'AUTO', [one], [delivery(one, 'ads_1')]);
      throw new Error('the host changed its mind');
    });
    await expect(rolledBack).rejects.toThrow('changed its mind');
    expect(await deliveries()).toEqual([]);
    expect(await record('AUTO', [completion('job_1')], ['ads_1'])).toHaveLength(1);
  });
});

describe('the trace of a completion', () => {
  const context = (digit: string) => ({
    traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01`,
    tracestate: `vendor=${digit}`,
  });
  const kept = async () => (await database.all('SELECT traceparent, tracestate FROM agent_data_source_job'))[0];
  const traced = (digit?: string) => ({ ...completion('job_1'), traceContext: digit ? context(digit) : undefined });

  it('is stored with the job, and returned by each claim of its deliveries', async () => {
    const sink = await database.sink();
    await record('AUTO', [traced('1'), completion('job_2')], [sink]);
    const claimed = await database.claim();
    expect(new Map(claimed.map(({ jobId, traceContext }) => [jobId, traceContext]))).toEqual(
      new Map<string, unknown>([
        ['job_1', context('1')],
        ['job_2', null],
      ]),
    );
  });

  it('is the first one, including its tracestate', async () => {
    await record('MANUAL', [traced()], ['ads_1']);
    expect(await kept()).toEqual({ traceparent: null, tracestate: null });
    await record('AUTO', [{ ...traced(), traceContext: { traceparent: context('1').traceparent } }], ['ads_1']);
    await record('MANUAL', [traced('2')], ['ads_2']);
    await record('AUTO', [traced('3')], ['ads_3']);
    expect(await kept()).toEqual({ traceparent: context('1').traceparent, tracestate: null });
  });
});

describe('a manual push', () => {
  it('does not record the completion: the other sinks still get their deliveries', async () => {
    expect(await record('MANUAL', [completion('job_1')], ['ads_1'])).toHaveLength(1);
    expect(await findUnheard(databaseOf(database.manager), [completion('job_1')])).toHaveLength(1);
    expect(await record('AUTO', [completion('job_1')], ['ads_1', 'ads_2'])).toHaveLength(1);
    expect((await deliveries()).map(({ data_source_id: sink, trigger }) => [sink, trigger])).toEqual([
      ['ads_1', 'MANUAL'],
      ['ads_2', 'AUTO'],
    ]);
  });

  it('is possible after the completion was recorded, for a sink that did not get it', async () => {
    await record('AUTO', [completion('job_1')], []);
    expect(await record('MANUAL', [completion('job_1')], ['ads_1'])).toHaveLength(1);
  });

  it('creates nothing if this sink has a delivery of this job', async () => {
    await record('AUTO', [completion('job_1')], ['ads_1']);
    expect(await record('MANUAL', [completion('job_1')], ['ads_1'])).toEqual([]);
  });
});

describe('missed completions', () => {
  it('are found by job and run, and keep their order', async () => {
    await record('AUTO', [completion('job_2')], []);
    const all = [completion('job_3'), completion('job_2'), completion('job_2', 2), completion('job_1')];
    const unheard = await findUnheard(databaseOf(database.manager), all);
    expect(unheard.map(({ jobId, run }) => [jobId, run])).toEqual([
      ['job_3', 1],
      ['job_2', 2],
      ['job_1', 1],
    ]);
  });
});
