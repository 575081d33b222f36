import { Logger } from '@nestjs/common';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JobCompleted } from '../../../src/data-sinks/domain/job-completed.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import { DeliveryRecorder } from '../../../src/data-sinks/intake/delivery-recorder.js';
import { MissedCompletions } from '../../../src/data-sinks/intake/missed-completions.js';
import type { MappingResults } from '../../../src/data-sinks/ports/mapping-results.js';
import { InMemoryAgentDirectory } from '../../../src/data-sinks/testing/index.js';
import { Handover } from '../../../src/data-sinks/queue/handover.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';
import type { Wakeup } from '../../../src/data-sinks/queue/wakeup/wakeup.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';
import { stub } from '../../support/stub.js';

let database: ModuleDatabase;
let recorder: DeliveryRecorder;
let errors: unknown[];
let agents: InMemoryAgentDirectory;

const RULES = { data_sinks: { auto_push_on_job_complete: true } };
const AGENT = { id: 'agt_1', workspaceId: 'ws_1', active: true, ruleSet: RULES };

beforeAll(async () => {
  database = await ModuleDatabase.open();
  await database.all(`ALTER TABLE agent_data_source_job ADD CONSTRAINT ck_refused CHECK (job_id NOT LIKE 'refused%')`);
  agents = new InMemoryAgentDirectory([AGENT]);
  recorder = new DeliveryRecorder(
    databaseOf(database.manager),
    new DataSinkRepository(databaseOf(database.manager)),
    agents,
    { notify: () => undefined } as unknown as Wakeup,
    new Handover(),
    new ThisWorker(),
    newId,
    () => null,
    stub({ leaseMs: 60_000, maxInFlightPerSink: 16, maxInFlightPerWorkspace: 256 }),
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

/** Passes every check of ours; this database refuses it. */
const REFUSED = 'refused by the database';

const jobs = async (): Promise<string[]> =>
  (await database.all<{ job_id: string }>('SELECT job_id FROM agent_data_source_delivery ORDER BY 1')).map(
    ({ job_id }) => job_id,
  );

const GOOD = Array.from({ length: 20 }, (_, i) => `job_${10 + i}`);

describe('completions received at the same time', () => {
  it.each<[string, Partial<JobCompleted>]>([
    ['has a time stamp for a run', { run: Date.now() }],
    ['has NUL in its id', { jobId: 'job_\0' }],
    ['has an id that is too long', { jobId: 'x'.repeat(256) }],
    ['is refused by the database', { jobId: REFUSED }],
  ])('are recorded, even if one of them %s', async (_what, bad) => {
    const events = GOOD.map((jobId) => completion(jobId));
    const [first, ...rest] = events;
    const together = first ? [first, completion('job_bad', bad), ...rest] : [];
    const settled = await Promise.allSettled(together.map((event) => recorder.record(event)));
    expect(settled.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([1]);
    expect(await jobs()).toEqual(GOOD);
  });
});

describe('a burst of jobs in many parts', () => {
  it('is recorded completely, except for the invalid one', async () => {
    await database.sink({ created_at: new Date(0), config: { ...CONFIG, maxRowsPerPush: 1 } });
    const stats = { total: 900, matched: 900, unmatched: 0 };
    const ids = [...GOOD.slice(0, 7), REFUSED, ...GOOD.slice(7, 12)];
    const settled = await Promise.allSettled(ids.map((id) => recorder.record(completion(id, { stats }))));
    expect(settled.map((one) => one.status === 'fulfilled' && one.value)).toEqual(
      ids.map((_, i) => (i === 7 ? false : 901)),
    );
    expect(await jobs()).toHaveLength(12 * 901);
  });
});

describe('missed completions', () => {
  it('are recorded, even if some never can be, and are not found again', async () => {
    const bad = [completion(REFUSED), completion('job_\ud800'), completion('job_run', { run: 2 ** 31 })];
    const list = [...bad, ...GOOD.map((jobId) => completion(jobId))];
    const asked: Date[] = [];
    const listCompletedSince = async (since: Date): Promise<readonly JobCompleted[]> => {
      asked.push(since);
      return list;
    };
    const results = { listCompletedSince } as unknown as MappingResults;
    const missed = new MissedCompletions(
      databaseOf(database.manager),
      results,
      recorder,
      stub({ missedCompletionsMs: 86_400_000 }),
    );
    await missed.recover();
    await missed.recover();
    expect(await jobs()).toEqual(GOOD);
    expect(errors).toHaveLength(3);
    const [first, second] = asked.map((since) => since.getTime());
    expect((second ?? 0) - (first ?? 0)).toBe(86_400_000 - 600_000);
  });

  it('are not passed over for what the host’s own database refuses to its agent directory', async () => {
    const refused = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
    const asked = jest.spyOn(agents, 'findAgents').mockRejectedValue(refused);
    const results = { listCompletedSince: async () => [completion('job_1')] } as unknown as MappingResults;
    const missed = new MissedCompletions(
      databaseOf(database.manager),
      results,
      recorder,
      stub({ missedCompletionsMs: 86_400_000 }),
    );
    await expect(missed.recover()).rejects.toBe(refused);
    expect(errors).toEqual([]);
    asked.mockRestore();
    await missed.recover();
    expect(await jobs()).toEqual(['job_1']);
  });
});
