import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JobCompleted } from '../../../src/data-sinks/core/job-completed.js';
import { CommitWatch } from '../../../src/data-sinks/persistence/commit-watch.js';
import { DataSinkRepository } from '../../../src/data-sinks/persistence/data-sink.repository.js';
import { DeliveryRecorder } from '../../../src/data-sinks/pipeline/delivery-recorder.js';
import { MissedCompletions } from '../../../src/data-sinks/pipeline/missed-completions.js';
import type { MappingResults } from '../../../src/data-sinks/ports/mapping-results.js';
import { InMemoryAgentDirectory } from '../../../src/data-sinks/testing/index.js';
import type { Wakeup } from '../../../src/data-sinks/wakeup/wakeup.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;
let recorder: DeliveryRecorder;
let errors: unknown[];
let agents: InMemoryAgentDirectory;

const RULES = { data_sinks: { auto_push_on_job_complete: true } };
const AGENT = { id: 'agt_1', workspaceId: 'ws_1', active: true, ruleSet: RULES };

beforeAll(async () => {
  database = await ModuleDatabase.open();
  agents = new InMemoryAgentDirectory([AGENT]);
  recorder = new DeliveryRecorder(
    database.manager,
    new DataSinkRepository(database.manager),
    agents,
    { notify: () => undefined } as unknown as Wakeup,
    new CommitWatch(database.dataSource),
    newId,
    () => null,
  );
});
beforeEach(async () => {
  errors = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  await database.clear();
  await database.sink({ created_at: new Date(0) });
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => database.dataSource.destroy());

const completion = (jobId: string, given: Partial<JobCompleted> = {}): JobCompleted => ({
  ...{ jobId, agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date() },
  stats: { total: 3, matched: 2, unmatched: 1 },
  ...given,
});

/** Passes every check of ours; no index of PostgreSQL's takes it. */
const tooLong = (): string => `job_${randomBytes(5_000).toString('hex')}`;

const jobs = async (): Promise<string[]> =>
  (await database.all<{ job_id: string }>('SELECT job_id FROM agent_data_source_delivery ORDER BY 1')).map(
    ({ job_id }) => job_id,
  );

const GOOD = Array.from({ length: 20 }, (_, i) => `job_${10 + i}`);

describe('completions that are heard in one moment', () => {
  it.each<[string, Partial<JobCompleted>]>([
    ['has a time stamp for a run', { run: Date.now() }],
    ['has NUL in its id', { jobId: 'job_\0' }],
    ['has an id that no index takes', { jobId: tooLong() }],
  ])('are recorded, also when one of them %s', async (_what, bad) => {
    const events = GOOD.map((jobId) => completion(jobId));
    const [first, ...rest] = events;
    const together = first ? [first, completion('job_bad', bad), ...rest] : [];
    const settled = await Promise.allSettled(together.map((event) => recorder.record(event)));
    expect(settled.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([1]);
    expect(await jobs()).toEqual(GOOD);
  });
});

describe('a burst of jobs in many parts', () => {
  it('is written whole, but for the one that cannot be', async () => {
    await database.sink({ created_at: new Date(0), config: { ...CONFIG, maxRowsPerPush: 1 } });
    const stats = { total: 900, matched: 900, unmatched: 0 };
    const ids = [...GOOD.slice(0, 7), tooLong(), ...GOOD.slice(7, 12)];
    const settled = await Promise.allSettled(ids.map((id) => recorder.record(completion(id, { stats }))));
    expect(settled.map((one) => one.status === 'fulfilled' && one.value)).toEqual(
      ids.map((_, i) => (i === 7 ? false : 901)),
    );
    expect(await jobs()).toHaveLength(12 * 901);
  });
});

describe('completions that were missed', () => {
  it('are recorded, also when some of them never can be, and no look finds those again', async () => {
    const bad = [completion(tooLong()), completion('job_\ud800'), completion('job_run', { run: 2 ** 31 })];
    const list = [...bad, ...GOOD.map((jobId) => completion(jobId))];
    const asked: Date[] = [];
    const listCompletedSince = async (since: Date): Promise<readonly JobCompleted[]> => {
      asked.push(since);
      return list;
    };
    const results = { listCompletedSince } as unknown as MappingResults;
    const clock = { ms: Date.now() };
    const missed = new MissedCompletions(database.manager, results, recorder, () => clock.ms, 86_400_000);
    await missed.recover();
    await missed.recover();
    expect(await jobs()).toEqual(GOOD);
    expect(errors).toHaveLength(3);
    expect(asked.map((since) => clock.ms - since.getTime())).toEqual([86_400_000, 600_000]);
  });

  it('are not passed over for what the host’s own database refuses to its agent directory', async () => {
    const refused = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
    const asked = jest.spyOn(agents, 'findAgents').mockRejectedValue(refused);
    const results = { listCompletedSince: async () => [completion('job_1')] } as unknown as MappingResults;
    const missed = new MissedCompletions(database.manager, results, recorder, () => Date.now(), 86_400_000);
    await expect(missed.recover()).rejects.toBe(refused);
    expect(errors).toEqual([]);
    asked.mockRestore();
    await missed.recover();
    expect(await jobs()).toEqual(['job_1']);
  });
});
