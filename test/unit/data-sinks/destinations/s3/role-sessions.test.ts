import { describe, expect, it } from '@jest/globals';
import { clockFrom, readyRole } from '../../../../../src/data-sinks/destinations/s3/s3-access.js';
import { RoleSessions, type RoleUse } from '../../../../../src/data-sinks/destinations/s3/role-sessions.js';
import type {
  SessionAnswer,
  SessionRequest,
  StsClient,
} from '../../../../../src/data-sinks/destinations/s3/sts-client.js';
import { outcome } from '../../../../../src/data-sinks/domain/attempt-outcome.js';
import type { AttemptErrorCode } from '../../../../../src/data-sinks/domain/attempt.js';
import type { PushExchange } from '../../../../../src/data-sinks/egress/index.js';
import { promiseWithResolvers } from '../../../../../src/data-sinks/egress/promise-with-resolvers.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const EXCHANGE = { answer: null } as PushExchange;
const OWN = { accessKeyId: 'AKIA', secretAccessKey: 'own' };
const USE: RoleUse = {
  ...{ workspaceId: 'ws_1', roleArn: 'arn:aws:iam::999988887777:role/r', externalId: 'ext', region: 'eu-west-1' },
  ...{ sessionName: 'ws_1.ads_1', policy: '{}' },
};

const denied = (errorCode: AttemptErrorCode): SessionAnswer => ({
  kind: 'refused',
  outcome: outcome('HTTP_4XX', errorCode, 'FINAL', null),
  exchange: EXCHANGE,
});

/** A service that gives sessions of an hour, and refuses who has no external id, unless told otherwise. */
function service({ lasts = HOUR, without = denied('role_denied'), first = null as SessionAnswer | null } = {}) {
  const asked: (string | null)[] = [];
  const gate = { opens: Promise.resolve() };
  let made = 0;
  const assume = async ({ externalId }: SessionRequest, _keys: object, nowMs: number): Promise<SessionAnswer> => {
    asked.push(externalId);
    await gate.opens;
    if (externalId === null) return without;
    const keys = { accessKeyId: `ASIA${(made += 1)}`, secretAccessKey: 's', sessionToken: 't' };
    return first ?? { kind: 'session', session: { keys, endsAtMs: nowMs + lasts }, exchange: EXCHANGE };
  };
  let ownAsked = 0;
  const credentials = { keys: async () => ((ownAsked += 1), OWN) };
  const sessions = new RoleSessions({ assume } as unknown as StsClient, credentials);
  return { asked, gate, sessions, ownAsked: () => ownAsked };
}

async function idOf(sessions: RoleSessions, use: RoleUse, nowMs: number): Promise<string> {
  const opened = await sessions.open(use, OWN, nowMs);
  return opened.kind === 'session' ? opened.session.keys.accessKeyId : String(opened.outcome.errorCode);
}

describe('the sessions of a role', () => {
  it('are used again until five minutes before their end, and renewed then', async () => {
    const { asked, sessions } = service();
    expect(await idOf(sessions, USE, 0)).toBe('ASIA1');
    expect(await idOf(sessions, USE, HOUR - 5 * MINUTE - 1)).toBe('ASIA1');
    expect(await idOf(sessions, USE, HOUR - 5 * MINUTE)).toBe('ASIA2');
    expect(asked).toEqual(['ext', null, 'ext', null]);
  });

  it('are begun once by all that begin together', async () => {
    const { asked, gate, sessions } = service();
    const opening = promiseWithResolvers<void>();
    gate.opens = opening.promise;
    const all = Promise.all(Array.from({ length: 8 }, () => idOf(sessions, USE, 0)));
    opening.resolve();
    expect(new Set(await all)).toEqual(new Set(['ASIA1']));
    expect(asked).toEqual(['ext', null]);
  });

  it.each([
    ['workspace', { workspaceId: 'ws_2' }],
    ['sink', { sessionName: 'ws_1.ads_2' }],
    ['role', { roleArn: 'arn:aws:iam::999988887777:role/other' }],
    ['external id', { externalId: 'ext-2' }],
    ['region', { region: 'eu-north-1' }],
    ['policy', { policy: '{"Version":"2012-10-17"}' }],
  ])('are not used for another %s', async (_what, other) => {
    const { sessions } = service();
    expect(await idOf(sessions, USE, 0)).toBe('ASIA1');
    expect(await idOf(sessions, { ...USE, ...other }, 0)).toBe('ASIA2');
  });

  it('are not used where the role gives one without the external id as well', async () => {
    const session = { keys: { accessKeyId: 'ASIA', secretAccessKey: 's' }, endsAtMs: HOUR };
    const { sessions } = service({ without: { kind: 'session', session, exchange: EXCHANGE } });
    const opened = await sessions.open(USE, OWN, 0);
    expect(opened).toMatchObject({
      kind: 'refused',
      outcome: { status: 'BLOCKED', errorCode: 'role_without_external_id', verdict: 'FINAL' },
    });
    expect(sessions.inForce(USE, 0)).toBeNull();
  });

  it('are not used where nobody can say whether the role gives one without the external id', async () => {
    const { sessions } = service({ without: denied('role_throttled') });
    expect(await idOf(sessions, USE, 0)).toBe('role_throttled');
    expect(sessions.inForce(USE, 0)).toBeNull();
  });

  it('that are refused are asked for again by the next attempt', async () => {
    const { asked, sessions } = service({ first: denied('role_denied') });
    expect(await idOf(sessions, USE, 0)).toBe('role_denied');
    expect(await idOf(sessions, USE, 1)).toBe('role_denied');
    expect(asked).toEqual(['ext', 'ext']);
  });
});

describe('the keys of an attempt with a role', () => {
  it('need the host’s own only where a session has to begin', async () => {
    const { ownAsked, sessions } = service();
    const keysOf = async (): Promise<unknown> => {
      const opened = await (await readyRole(sessions, USE, () => 0)).open(undefined);
      return opened.kind === 'open' && opened.source.keys.accessKeyId;
    };
    expect([await keysOf(), await keysOf(), ownAsked()]).toEqual(['ASIA1', 'ASIA1', 1]);
  });

  it('are renewed when the store says that they have ended, once for all attempts that used them', async () => {
    const { asked, sessions } = service();
    const open = async () => {
      const opened = await (await readyRole(sessions, USE, () => 0)).open(undefined);
      if (opened.kind !== 'open') throw new Error('refused');
      return opened.source;
    };
    const [one, two] = [await open(), await open()];
    expect([await one.renew(undefined), await two.renew(undefined)]).toEqual([true, true]);
    expect([one.keys.accessKeyId, two.keys.accessKeyId]).toEqual(['ASIA2', 'ASIA2']);
    expect(asked).toHaveLength(4);
  });

  it('are no longer waited for when the attempt is told to stop, while others go on waiting', async () => {
    const { gate, sessions } = service();
    const opening = promiseWithResolvers<void>();
    gate.opens = opening.promise;
    const stop = new AbortController();
    const stopped = (await readyRole(sessions, USE, () => 0)).open(stop.signal);
    const other = (await readyRole(sessions, USE, () => 0)).open(undefined);
    stop.abort(new Error('shutdown'));
    await expect(stopped).rejects.toThrow('shutdown');
    opening.resolve();
    expect(await other).toMatchObject({ kind: 'open', source: { keys: { accessKeyId: 'ASIA1' } } });
  });

  it('are our own failure where the host has none: nothing is asked of AWS', async () => {
    const { asked, sessions } = service();
    const away = new RoleSessions({} as StsClient, {
      keys: async () => {
        throw new Error('metadata service away');
      },
    });
    await expect(readyRole(away, USE, () => 0)).rejects.toThrow('metadata service away');
    expect([asked, sessions.inForce(USE, 0)]).toEqual([[], null]);
  });
});

it('the clock of an attempt goes on from the moment of the database’s', () => {
  const now = clockFrom(1_000);
  const first = now();
  expect(first).toBeGreaterThanOrEqual(1_000);
  expect(now()).toBeGreaterThanOrEqual(first);
});
