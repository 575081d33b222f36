import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  BoundAgentDirectory,
  BoundAuditTrail,
  BoundAwsCredentials,
  BoundMappingResults,
  BoundSecretVault,
  BoundWorkspaceAccess,
  BoundWorkspacePlans,
} from '../../../../../src/data-sinks/ports/bound/index.js';
import type { AccessRequest, Caller } from '../../../../../src/data-sinks/ports/workspace-access.js';
import { RuleSetWarnings } from '../../../../../src/data-sinks/ports/bound/rule-set-warnings.js';
import { aJob } from '../../testing/port-fixtures.js';

afterEach(() => void jest.useRealTimers());

/** Each method that is bound: how it is asked of a host that answers with this function, and its limit. */
type Answer = () => unknown;
const host = (answer: Answer): never =>
  ({
    ...{ findAgents: answer, findPlans: answer, authenticate: answer, findCompletedJob: answer, streamRows: answer },
    ...{ listCompletedSince: answer, store: answer, reveal: answer, destroy: answer, destroyUnreferenced: answer },
    ...{ record: answer, keys: answer, accountId: '111122223333' },
  }) as never;
const ref = { secretId: 'sec_1', workspaceId: 'ws_1' };
const request: AccessRequest = { headers: { authorization: 'Bearer mt_secret' }, ip: null, raw: null };
const vault = (answer: Answer): BoundSecretVault => new BoundSecretVault(host(answer), { answerMs: 10, sweepMs: 60 });
const results = (answer: Answer): BoundMappingResults =>
  new BoundMappingResults(host(answer), { answerMs: 10, rowsMs: 120, listMs: 30 });

const CALLS = {
  'AgentDirectory.findAgents()': [
    10,
    (a: Answer) => new BoundAgentDirectory(host(a), 10, new RuleSetWarnings()).findAgents(['agt_1', 'agt_2']),
  ],
  'WorkspacePlans.findPlans()': [10, (a: Answer) => new BoundWorkspacePlans(host(a), 10).findPlans(['ws_1', 'ws_2'])],
  'WorkspaceAccess.authenticate()': [10, (a: Answer) => new BoundWorkspaceAccess(host(a), 10).authenticate(request)],
  'MappingResults.findCompletedJob()': [10, (a: Answer) => results(a).findCompletedJob('ws_1', 'job_1')],
  'MappingResults.streamRows()': [
    120,
    (a: Answer) => results(a).streamRows({ workspaceId: 'ws_1', jobId: 'job_1', run: 1 }),
  ],
  'MappingResults.listCompletedSince()': [
    30,
    async (a: Answer) => results(a).listCompletedSince?.(new Date(), null, 5),
  ],
  'SecretVault.store()': [10, (a: Answer) => vault(a).store(ref, 'the secret')],
  'SecretVault.reveal()': [10, (a: Answer) => vault(a).reveal([ref])],
  'SecretVault.destroy()': [10, (a: Answer) => vault(a).destroy(ref)],
  'SecretVault.destroyUnreferenced()': [60, async (a: Answer) => vault(a).destroyUnreferenced?.(5)],
  'AuditTrail.record()': [10, (a: Answer) => new BoundAuditTrail(host(a), 10).record([])],
  'AwsCredentials.keys()': [10, (a: Answer) => new BoundAwsCredentials(host(a), 10).keys()],
} satisfies Record<string, readonly [limitMs: number, ask: (answer: Answer) => Promise<unknown>]>;
type Call = keyof typeof CALLS;
const calls = Object.keys(CALLS) as Call[];

describe('a port that never answers fails after its limit, and the error names it', () => {
  it.each(calls)('%s', async (call) => {
    jest.useFakeTimers();
    const [limitMs, ask] = CALLS[call];
    const asked = Promise.allSettled([ask(() => new Promise(() => undefined))]);
    await jest.advanceTimersByTimeAsync(limitMs - 1);
    expect(await Promise.race([asked, Promise.resolve('waits')])).toBe('waits');
    await jest.advanceTimersByTimeAsync(1);
    expect(await asked).toMatchObject([
      { reason: { code: 'no_answer', message: `${call} did not answer within ${limitMs} ms` } },
    ]);
  });
});

describe('an error of a port is passed on, and leaves no timer', () => {
  const failures: Readonly<Record<string, () => unknown>> = {
    'by a rejection': () => Promise.reject(new Error('host away')),
    'at once': () => {
      throw new Error('host away');
    },
  };
  it.each(calls.flatMap((call) => Object.keys(failures).map((how) => [call, how] as const)))(
    '%s %s',
    async (call, how) => {
      jest.useFakeTimers();
      await expect(CALLS[call][1](failures[how] as Answer)).rejects.toThrow('host away');
      expect(jest.getTimerCount()).toBe(0);
    },
  );
});

const agent = (given: object = {}): unknown => ({
  id: 'agt_1',
  workspaceId: 'ws_1',
  active: true,
  ruleSet: null,
  ...given,
});
const caller = (given: object = {}): unknown => ({
  ...{ workspaceId: 'ws_1', actor: { type: 'token', id: 'tok_1' }, scopes: new Set() },
  ...given,
});
const { job } = aJob(1, 2);
const PLANS = 'it must return a Map from workspace id to plan';
const KEYS = 'it must return { accessKeyId, secretAccessKey, sessionToken? }';
const SECRETS = 'it must return a Map from secretId to secret';

const WRONG: Partial<Record<Call, Readonly<Record<string, readonly [answer: unknown, message: string]>>>> = {
  'AgentDirectory.findAgents()': {
    undefined: [undefined, 'undefined; it must return an array'],
    null: [null, 'null; it must return an array'],
    'an agent by itself': [agent(), 'an object; it must return an array'],
    'a Map': [new Map([['agt_1', agent()]]), 'a Map; it must return an array'],
    'a null agent': [[agent(), null], 'an array whose element 1 is null; each must be an agent'],
    'an id': [['agt_1'], 'an array whose element 0 is a string; each must be an agent'],
    'pages of agents': [[[agent()]], 'an agent whose id is undefined; it must be a non-empty string'],
    'a number as id': [[agent({ id: 1 })], 'an agent whose id is a number; it must be a non-empty string'],
    'another agent': [
      [agent({ id: 'agt_9' })],
      'agent agt_9, which was not asked for, or twice; each agent is answered once at most',
    ],
    'an agent twice': [
      [agent(), agent()],
      'agent agt_1, which was not asked for, or twice; each agent is answered once at most',
    ],
    'no workspace': [
      [agent({ workspaceId: null })],
      'agent agt_1 whose workspaceId is null; it must be a non-empty string',
    ],
    'a status': [[agent({ active: 'ACTIVE' })], 'agent agt_1 whose active is a string; it must be a boolean'],
    'a flag of MySQL': [[agent({ active: 1 })], 'agent agt_1 whose active is a number; it must be a boolean'],
  },
  'WorkspacePlans.findPlans()': {
    undefined: [undefined, `undefined; ${PLANS}`],
    'an object': [{ ws_1: 'PRO_MAX' }, `an object; ${PLANS}`],
    'an array of pairs': [[['ws_1', 'PRO_MAX']], `an array; ${PLANS}`],
    'a Set': [new Set(['PRO_MAX']), `a Set; ${PLANS}`],
    'a plan': ['PRO_MAX', `a string; ${PLANS}`],
    'a Map keyed by plan': [
      new Map([['PRO_MAX', 'ws_1']]),
      `a Map with a key that is not one of the ids it was asked for; ${PLANS}`,
    ],
    'a Map keyed by number': [
      new Map([[1, 'PRO_MAX']]),
      `a Map with a key that is not one of the ids it was asked for; ${PLANS}`,
    ],
    'a Map of objects': [new Map([['ws_1', { plan: 'PRO_MAX' }]]), `a Map with a value that is an object; ${PLANS}`],
    'a Map of promises': [
      new Map([['ws_1', Promise.resolve('PRO')]]),
      `a Map with a value that is a Promise; ${PLANS}`,
    ],
    'a Map of nulls': [new Map([['ws_1', null]]), `a Map with a value that is null; ${PLANS}`],
  },
  'WorkspaceAccess.authenticate()': {
    undefined: [undefined, 'undefined; it must return a caller or null'],
    true: [true, 'a boolean; it must return a caller or null'],
    'an array': [[caller()], 'a caller whose workspaceId is undefined; it must be a non-empty string'],
    'no workspace': [
      caller({ workspaceId: '' }),
      'a caller whose workspaceId is a string; it must be a non-empty string',
    ],
    'no actor': [caller({ actor: null }), 'a caller whose actor is null; it must be an object with type and id'],
    'an actor without an id': [
      caller({ actor: { type: 'user' } }),
      'a caller whose actor.id is undefined; it must be a non-empty string',
    ],
    'an actor with a number': [
      caller({ actor: { type: 'user', id: 7 } }),
      'a caller whose actor.id is a number; it must be a non-empty string',
    ],
    'an array of scopes': [
      caller({ scopes: ['data-sinks:read'] }),
      'a caller whose scopes is an array; it must be a Set',
    ],
    'an array of agents': [
      caller({ agentIds: ['agt_1'] }),
      'a caller whose agentIds is an array; it must be a Set or undefined',
    ],
    'null for its agents': [
      caller({ agentIds: null }),
      'a caller whose agentIds is null; it must be a Set or undefined',
    ],
    'scopes in a text': [caller({ scopes: 'data-sinks:read' }), 'a caller whose scopes is a string; it must be a Set'],
  },
  'MappingResults.findCompletedJob()': {
    undefined: [undefined, 'undefined; it must return a completed job or null'],
    'the id': ['job_1', 'a string; it must return a completed job or null'],
    'an array': [[job], 'a job of which jobId must be a string of 1 to 255 characters'],
    'a text as date': [
      { ...job, completedAt: job.completedAt.toISOString() },
      'a job of which completedAt is not a valid Date',
    ],
    'an invalid date': [{ ...job, completedAt: new Date(NaN) }, 'a job of which completedAt is not a valid Date'],
    'counts as texts': [
      { ...job, stats: { total: '2', matched: '1', unmatched: '1' } },
      'a job of which stats.total is not an integer from 0',
    ],
    'counts that do not add up': [
      { ...job, stats: { ...job.stats, total: 3 } },
      'a job of which stats.matched and stats.unmatched do not add up to stats.total',
    ],
  },
  'MappingResults.listCompletedSince()': {
    undefined: [undefined, 'undefined; it must return an array'],
    'a page object': [{ items: [job] }, 'an object; it must return an array'],
    'an async generator': [(async function* () {})(), 'an object; it must return an array'],
  },
  'AwsCredentials.keys()': {
    undefined: [undefined, `undefined; ${KEYS}`],
    'no secret key': [{ accessKeyId: 'AKIA' }, `secretAccessKey as undefined; ${KEYS}`],
    'a number as id': [{ accessKeyId: 1, secretAccessKey: 's3cr3t' }, `accessKeyId as a number; ${KEYS}`],
    'a key with a line break': [
      { accessKeyId: 'AKIA', secretAccessKey: 's3cr3t\n' },
      `secretAccessKey as text that is not visible ASCII; ${KEYS}`,
    ],
    'an empty token': [
      { accessKeyId: 'AKIA', secretAccessKey: 's3cr3t', sessionToken: '' },
      `sessionToken as a string; ${KEYS}`,
    ],
  },
  'SecretVault.reveal()': {
    undefined: [undefined, `undefined; ${SECRETS}`],
    'an object': [{ sec_1: 's3cr3t' }, `an object; ${SECRETS}`],
    'an array': [['s3cr3t'], `an array; ${SECRETS}`],
    'the secret': ['s3cr3t', `a string; ${SECRETS}`],
    'a Map keyed by secret': [
      new Map([['s3cr3t', 'sec_1']]),
      `a Map with a key that is not one of the ids it was asked for; ${SECRETS}`,
    ],
    'a Map of buffers': [
      new Map([['sec_1', Buffer.from('s3cr3t')]]),
      `a Map with a value that is a Buffer; ${SECRETS}`,
    ],
    'an empty secret': [new Map([['sec_1', '']]), `a Map with a value that is a string; ${SECRETS}`],
  },
  'SecretVault.destroyUnreferenced()': {
    undefined: [undefined, 'undefined; it must return how many were destroyed'],
    NaN: [NaN, 'NaN; it must return how many were destroyed'],
    'a text': ['3', 'a string; it must return how many were destroyed'],
  },
};

describe('a wrong answer is reported with the port, the returned type and the expected type, without secrets', () => {
  it.each(
    Object.entries(WRONG).flatMap(([call, answers]) =>
      Object.entries(answers).map(([what, [answer, message]]) => [call as Call, what, answer, message] as const),
    ),
  )('%s answers %s', async (call, _what, answer, message) => {
    const asked = CALLS[call][1](async () => answer);
    await expect(asked).rejects.toMatchObject({ code: 'port_answer_invalid', message: `${call} returned ${message}` });
    await expect(asked).rejects.toThrow(expect.not.stringContaining('s3cr3t') as never);
  });
});

describe('a valid answer is passed on, with or without a promise', () => {
  const RIGHT: Readonly<Partial<Record<Call, readonly unknown[]>>> = {
    'AgentDirectory.findAgents()': [[], [agent()], [agent(), agent({ id: 'agt_2', ruleSet: undefined, more: 1 })]],
    'WorkspacePlans.findPlans()': [new Map(), new Map([['ws_2', 'PRO_MAX']])],
    'WorkspaceAccess.authenticate()': [null, caller(), caller({ scopes: new Set(['host:other']) }) as Caller],
    'MappingResults.findCompletedJob()': [null, job, { ...job, more: 1 }],
    'MappingResults.listCompletedSince()': [[], [job], [null]],
    'SecretVault.reveal()': [new Map(), new Map([['sec_1', ' a secret ']])],
    'SecretVault.destroyUnreferenced()': [0, 3],
  };
  it.each(Object.entries(RIGHT).flatMap(([call, answers]) => answers.map((answer) => [call as Call, answer] as const)))(
    '%s: %j',
    async (call, answer) => {
      for (const given of [() => answer, async () => answer, async () => Promise.resolve(Promise.resolve(answer))]) {
        expect(await CALLS[call][1](given)).toBe(answer);
      }
    },
  );

  it.each(['SecretVault.store()', 'SecretVault.destroy()', 'AuditTrail.record()'] as const)(
    '%s may return anything',
    async (call) => {
      for (const answer of [undefined, null, 7, { affected: 1 }]) {
        expect(await CALLS[call][1](() => answer)).toBeUndefined();
      }
    },
  );
});

describe('an optional method', () => {
  it('is absent where the host has none', () => {
    const bare = {} as never;
    const limits = { answerMs: 1, rowsMs: 1, listMs: 1, sweepMs: 1 };
    expect(new BoundMappingResults(bare, limits).listCompletedSince).toBeUndefined();
    expect(new BoundSecretVault(bare, limits).destroyUnreferenced).toBeUndefined();
  });
});

describe('credentials at AWS', () => {
  const keys = { accessKeyId: 'AKIA', secretAccessKey: 's3cr3t' };
  const bound = (given: object): BoundAwsCredentials =>
    new BoundAwsCredentials({ accountId: '111122223333', keys: async () => keys, ...given }, 10);

  it.each([undefined, '123', 111122223333, '11112222333a'])('stop the boot with the account %p', (accountId) => {
    expect(() => bound({ accountId })).toThrow('AwsCredentials.accountId must be the twelve digits');
  });

  it.each(['me', 'arn:aws:s3:::bucket', `arn:aws:iam::111122223333:role/a b`, 7])(
    'stop the boot where %p is to be trusted',
    (principalArn) => {
      expect(() => bound({ principalArn })).toThrow('AwsCredentials.principalArn must be the ARN');
    },
  );

  it('are passed on as they are, with a token or without', async () => {
    const principalArn = 'arn:aws:iam::111122223333:role/platform';
    expect(bound({ principalArn })).toMatchObject({ accountId: '111122223333', principalArn });
    expect(await bound({}).keys()).toEqual(keys);
    const session = { ...keys, sessionToken: 'token' };
    expect(await bound({ keys: async () => ({ ...session, more: 1 }) }).keys()).toEqual(session);
    expect(await bound({ keys: async () => ({ ...keys, sessionToken: null }) }).keys()).toEqual(keys);
  });
});
