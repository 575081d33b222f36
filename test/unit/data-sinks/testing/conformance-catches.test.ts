import { describe, expect, it } from '@jest/globals';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import type { AuditEntry } from '../../../../src/data-sinks/ports/audit-trail.js';
import type { SecretRef } from '../../../../src/data-sinks/ports/secret-vault.js';
import type { JobKey, MappingResultRow } from '../../../../src/data-sinks/domain/job-completed.js';
import {
  agentDirectoryConformance,
  auditTrailConformance,
  type ConformanceCheck,
  type InMemoryMappingResults,
  InMemorySecretVault,
  mappingResultsConformance,
  secretVaultConformance,
  workspaceAccessConformance,
  workspacePlansConformance,
} from '../../../../src/data-sinks/testing/index.js';
import {
  agentDirectoryFixture,
  auditTrailFixture,
  mappingResultsFixture,
  workspaceAccessFixture,
  workspacePlansFixture,
} from './port-fixtures.js';

/** A right adapter with one method made wrong. */
function broken<T extends object>(right: T, wrong: (right: T) => Partial<T>): T {
  const changes = wrong(right);
  return new Proxy(right, {
    get(target, property) {
      const value: unknown = Reflect.get(property in changes ? changes : target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const vaultThat = (wrong: (right: InMemorySecretVault) => Partial<InMemorySecretVault>) =>
  secretVaultConformance(() => broken(new InMemorySecretVault(), wrong));

const directoryThat = (wrong: (agents: readonly Agent[]) => readonly Agent[]) =>
  agentDirectoryConformance(() => {
    const fixture = agentDirectoryFixture();
    const directory = broken(fixture.directory, (right) => ({
      findAgents: async (ids) => wrong(await right.findAgents(ids)),
    }));
    return { ...fixture, directory };
  });

const resultsThat = (wrong: (right: InMemoryMappingResults) => Partial<InMemoryMappingResults>) =>
  mappingResultsConformance(() => {
    const fixture = mappingResultsFixture();
    return { ...fixture, results: broken(fixture.results, wrong) };
  });

/** @param wrong what the stream gives, of the job's rows; undefined for no stream at all */
const streamThat = (wrong: (rows: readonly MappingResultRow[]) => readonly unknown[] | undefined) =>
  resultsThat((right) => ({
    streamRows: async (job: JobKey) => {
      const stream = await right.streamRows(job);
      if (!stream) return null;
      const rows: MappingResultRow[] = [];
      for await (const batch of stream) rows.push(...batch);
      const given = wrong(rows);
      return (given && streamOf(given)) as never;
    },
  }));

const plansThat = (wrong: (found: ReadonlyMap<string, string>) => unknown) =>
  workspacePlansConformance(() => {
    const fixture = workspacePlansFixture();
    const plans = broken(fixture.plans, (right) => ({
      findPlans: async (ids) => wrong(await right.findPlans(ids)) as never,
    }));
    return { ...fixture, plans };
  });

const trailThat = (wrong: (entry: AuditEntry) => AuditEntry) =>
  auditTrailConformance(() => {
    const fixture = auditTrailFixture();
    const trail = broken(fixture.trail, (right) => ({ record: async (entries) => right.record(entries.map(wrong)) }));
    return { ...fixture, trail };
  });

const everyValue = async (right: InMemorySecretVault, refs: readonly SecretRef[], change: (value: string) => string) =>
  new Map([...(await right.reveal(refs))].map(([id, value]) => [id, change(value)]));

const overwriting = (right: InMemorySecretVault) => async (ref: SecretRef, value: string) => {
  await right.destroy(ref);
  await right.store(ref, value);
};

/** Keeps secrets by id alone, so that any workspace reaches them. */
const blind = (ref: SecretRef): SecretRef => ({ ...ref, workspaceId: 'ws_any' });

const TABLE: readonly (readonly [fault: string, checks: readonly ConformanceCheck[], caughtBy: RegExp])[] = [
  [
    'a vault that trims',
    vaultThat((right) => ({ reveal: (refs) => everyValue(right, refs, (v) => v.trim()) })),
    /exactly/,
  ],
  [
    'a vault that normalises Unicode',
    vaultThat((right) => ({ reveal: (refs) => everyValue(right, refs, (v) => v.normalize('NFC')) })),
    /exactly/,
  ],
  [
    'a vault that cuts at 255 characters',
    vaultThat((right) => ({ reveal: (refs) => everyValue(right, refs, (v) => v.slice(0, 255)) })),
    /exactly/,
  ],
  ['a vault that overwrites', vaultThat((right) => ({ store: overwriting(right) })), /keeps the first/],
  [
    'a vault that cannot store twice',
    vaultThat((right) => ({
      store: async (ref, value) => {
        if ((await right.reveal([ref])).size > 0) throw new Error('exists');
        await right.store(ref, value);
      },
    })),
    /again under the same reference/,
  ],
  ['a vault that never destroys', vaultThat(() => ({ destroy: async () => undefined })), /after it was destroyed/],
  [
    'a vault blind to workspaces',
    vaultThat((right) => ({
      store: (ref, value) => right.store(blind(ref), value),
      reveal: (refs) => right.reveal(refs.map(blind)),
      destroy: (ref) => right.destroy(blind(ref)),
    })),
    /another workspace/,
  ],
  [
    'a vault that reveals the first secret alone',
    vaultThat((right) => ({ reveal: (refs) => right.reveal(refs.slice(0, 1)) })),
    /many secrets in one call/,
  ],
  [
    'a vault that tells the value in its error',
    vaultThat((right) => ({
      store: async (ref, value) => {
        const kept = (await right.reveal([ref])).get(ref.secretId);
        if (kept !== undefined && kept !== value)
          throw Object.assign(new Error(`${kept} is not ${value}`), { code: 'secret_ref_taken' });
        await right.store(ref, value);
      },
    })),
    /never names a value/,
  ],

  [
    'a directory that hides inactive agents',
    directoryThat((agents) => agents.filter(({ active }) => active)),
    /several agents/,
  ],
  [
    'a directory without rules',
    directoryThat((agents) => agents.map((agent) => ({ ...agent, ruleSet: null }))),
    /several agents/,
  ],
  ['a directory that answers the first page', directoryThat((agents) => agents.slice(0, 1)), /256 ids/],
  [
    'plans of everybody',
    workspacePlansConformance(() => {
      const { plans, ...rest } = workspacePlansFixture();
      return {
        ...rest,
        plans: broken(plans, (right) => ({ findPlans: () => right.findPlans(['ws_1', 'ws_2', 'ws_3']) })),
      };
    }),
    /nothing that was not asked/,
  ],

  [
    'results of any workspace',
    resultsThat((right) => ({ findCompletedJob: (_ws, id) => right.findCompletedJob('ws_1', id) })),
    /another workspace/,
  ],
  [
    'results that skip unmatched rows',
    resultsThat((right) => ({ streamRows: async (job: JobKey) => matchedOnly(await right.streamRows(job)) })),
    /all rows/,
  ],
  ['results whose stream can be read once', resultsThat(once), /every time/],
  ['results that are undefined', streamThat(() => undefined), /all rows/],
  ['results whose rows come by themselves, not in batches', streamThat((rows) => rows), /batches of rows/],
  ['results with a row that is null', streamThat((rows) => [[...rows.slice(1), null]]), /batches of rows/],
  ['results with fewer rows than stats.total', streamThat((rows) => [rows.slice(1)]), /count the statistics/],
  ['results with more rows than stats.total', streamThat((rows) => [[...rows, ...rows]]), /count the statistics/],
  [
    'results with a confidence of 1.7',
    streamThat((rows) => [rows.map((row) => ({ ...row, matchConfidence: 1.7 }))]),
    /batches of rows/,
  ],
  ['plans in an array of pairs', plansThat((found) => [...found]), /several workspaces/],
  ['plans that are undefined', plansThat(() => undefined), /several workspaces/],
  ['agents that are undefined', directoryThat(() => undefined as never), /several agents/],
  [
    'agents whose active is a text',
    directoryThat((agents) => agents.map((agent) => ({ ...agent, active: String(agent.active) as never }))),
    /several agents/,
  ],
  [
    'results that are empty when there are none',
    resultsThat((right) => ({ streamRows: async (job: JobKey) => (await right.streamRows(job)) ?? emptyStream() })),
    /do not exist/,
  ],
  [
    'a job found by its id alone',
    resultsThat((right) => ({
      findCompletedJob: async (_ws, id) =>
        (await right.findCompletedJob('ws_1', id)) ?? (await right.findCompletedJob('ws_2', id)),
    })),
    /two workspaces with one job id, the job/,
  ],
  [
    'rows found by their job’s id alone',
    resultsThat((right) => ({
      streamRows: async (job: JobKey) =>
        (await right.streamRows({ ...job, workspaceId: 'ws_1' })) ?? right.streamRows({ ...job, workspaceId: 'ws_2' }),
    })),
    /two workspaces with one job id, the rows/,
  ],
  [
    'rows that every workspace may read',
    resultsThat((right) => ({
      streamRows: async (job: JobKey) =>
        (await right.streamRows(job)) ?? right.streamRows({ ...job, workspaceId: 'ws_1' }),
    })),
    /no rows of a job for another workspace/,
  ],
  [
    'a listing that goes on after a job’s id alone',
    resultsThat((right) => ({
      listCompletedSince: async (since, after, limit) => {
        const all = await right.listCompletedSince(since, null, 99);
        const from = after === null ? 0 : all.findLastIndex(({ jobId }) => jobId === after.jobId) + 1;
        return all.slice(from, from + limit);
      },
    })),
    /with one id, each once/,
  ],
  [
    'a listing that ignores the time',
    resultsThat((right) => ({
      listCompletedSince: (_since, after, limit) => right.listCompletedSince(new Date(0), after, limit),
    })),
    /before that time/,
  ],
  [
    'a listing that ignores the limit',
    resultsThat((right) => ({ listCompletedSince: (since, after) => right.listCompletedSince(since, after, 99) })),
    /goes on after/,
  ],
  [
    'a listing that ignores where to go on',
    resultsThat((right) => ({
      listCompletedSince: (since, _after, limit) => right.listCompletedSince(since, null, limit),
    })),
    /goes on after/,
  ],
  [
    'a listing with the newest first',
    resultsThat((right) => ({
      listCompletedSince: async (...page) => (await right.listCompletedSince(...page)).toReversed(),
    })),
    /oldest first/,
  ],

  ['a trail that loses the address', trailThat((entry) => ({ ...entry, ip: null })), /every field/],
  [
    'a trail that flattens details',
    trailThat((entry) => ({ ...entry, details: { text: JSON.stringify(entry.details) } })),
    /any depth/,
  ],

  [
    'an access that throws at nonsense',
    workspaceAccessConformance(() => {
      const { access, ...rest } = workspaceAccessFixture();
      return {
        ...rest,
        access: broken(access, (right) => ({
          authenticate: async (request) => {
            const caller = await right.authenticate(request);
            if (!caller) throw new Error('401');
            return caller;
          },
        })),
      };
    }),
    /null and not with an error/,
  ],
  [
    'an access that lets everybody in',
    workspaceAccessConformance(() => {
      const { access, accepted, ...rest } = workspaceAccessFixture();
      return {
        ...rest,
        accepted,
        access: broken(access, () => ({ authenticate: async () => accepted[0]?.caller ?? null })),
      };
    }),
    /without any credentials/,
  ],
];

describe('the conformance suites', () => {
  it.each(TABLE)('catch %s', async (_fault, checks, caughtBy) => {
    const failed: string[] = [];
    for (const { name, run } of checks) await run().catch(() => failed.push(name));
    expect(failed).toContainEqual(expect.stringMatching(caughtBy));
    // A suite that fails everywhere says nothing of what is wrong.
    expect(failed.length).toBeLessThan(checks.length);
  });
});

async function* streamOf(given: readonly unknown[]): AsyncGenerator<unknown, void, undefined> {
  yield* given;
}

async function* emptyStream(): AsyncGenerator<never, void, undefined> {
  // Nothing.
}

type Stream = Awaited<ReturnType<InMemoryMappingResults['streamRows']>>;

function matchedOnly(stream: Stream): Stream {
  if (!stream) return null;
  return (async function* () {
    for await (const batch of stream) yield batch.filter(({ referenceHotelId }) => referenceHotelId !== null);
  })();
}

function once(right: InMemoryMappingResults): Partial<InMemoryMappingResults> {
  const streams = new Map<string, Promise<Stream>>();
  return {
    streamRows: (job: JobKey) => {
      const name = `${job.workspaceId} ${job.jobId}`;
      const stream = streams.get(name) ?? right.streamRows(job);
      streams.set(name, stream);
      return stream;
    },
  };
}
