import { randomBytes } from 'node:crypto';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { DATA_SINK_EVENTS } from '../../src/data-sinks/index.js';
import { Upkeep } from '../../src/data-sinks/upkeep/upkeep.js';
import { ServerClock } from '../../src/data-sinks/database/server-clock.js';
import { PushVerificationError, type SignatureForm, verifyPush } from '../../src/receiver/index.js';
import type { Answer, Body } from '../support/platform/api-client.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceivedRequest, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

/** The sweeper comes when a test calls it: an overlap must end without it. */
const platform = suitePlatform({ options: { sweepMs: 600_000 } });

const DAY_S = 86_400;

const heard: Body[] = [];
beforeAll(() => {
  platform()
    .app.get(EventEmitter2)
    .on(DATA_SINK_EVENTS.secretExpiring, (event: Body) => void heard.push(event));
});

interface Made {
  readonly sink: Sink;
  readonly endpoint: Endpoint;
}

async function made(more: Readonly<Record<string, unknown>> = {}, steps?: readonly ReceiverStep[]): Promise<Made> {
  const agent = await (await platform().customer()).agent();
  const endpoint = await platform().receiver.endpoint(steps);
  const { config, ...rest } = more;
  const sink = await agent.sink(endpoint, {
    config: { url: endpoint.url, authScheme: 'HmacSha256', ...(config as object) },
    ...rest,
  });
  return { sink, endpoint };
}

function rotate(sink: Sink, body: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  return sink.api.post(`${sink.path}/secret`, body);
}

/** Rotates to a secret of one's own, and keeps an eye on it. */
async function rotateTo(sink: Sink, body: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const value = randomBytes(24).toString('base64url');
  expectStatus(await rotate(sink, { value, ...body }), 200);
  platform().keepSecret(value);
  return value;
}

const readSink = async (sink: Sink): Promise<Body> => expectStatus(await sink.api.get(sink.path), 200);

async function lastPush({ sink, endpoint }: Made): Promise<ReceivedRequest> {
  const before = endpoint.requests.length;
  await sink.settledPush();
  const requests = await endpoint.received(before + 1);
  const last = requests.at(-1);
  if (!last) throw new Error('unreachable');
  return last;
}

/** What a receiver that knows one secret makes of a push: with our kit, in both forms, and with another one's. */
function verdicts({ headers, body }: ReceivedRequest, secret: string): readonly string[] {
  const rawBody = Buffer.from(body ?? '');
  const verdict = (verify: () => unknown): string => {
    try {
      verify();
      return 'valid';
    } catch (error) {
      return error instanceof PushVerificationError ? error.code : (error as Error).name;
    }
  };
  const forms: readonly SignatureForm[] = ['standard-webhooks', 'x-mt'];
  const webhook = secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
  return [
    ...forms.map((form) => verdict(() => verifyPush({ rawBody, headers, secret, form }))),
    verdict(() => webhook.verify(rawBody, { ...headers }, { jsonParse: false })),
  ];
}
const VALID = ['valid', 'valid', 'valid'];
const WRONG = ['wrong_secret', 'wrong_secret', 'WebhookVerificationError'];

const secretsOf = async ({ agent }: Sink): Promise<number> =>
  (await platform().sql('SELECT 1 FROM agent_data_source_secret WHERE workspace_id = $1', [agent.customer.workspaceId]))
    .length;

const auditOf = (sink: Sink): Promise<Body[]> =>
  platform().sql<Body>(
    `SELECT action, actor_type, actor_id, details FROM agent_data_source_audit
      WHERE data_source_id = $1 AND action LIKE 'SECRET%' ORDER BY seq`,
    [sink.id],
  );

/** As if so much time had gone by. */
async function letPass({ id }: Sink, seconds: number): Promise<void> {
  await platform().sql(
    `UPDATE agent_data_source SET previous_secret_expires_at = previous_secret_expires_at - $2 * interval '1 second'
      WHERE id = $1`,
    [id, seconds],
  );
}

const sweep = (): Promise<void> => platform().app.get(Upkeep, { strict: false }).sweep();
const eventsOf = (sink: Sink): Body[] => heard.filter(({ dataSourceId }) => dataSourceId === sink.id);

describe('rotating an HMAC secret', () => {
  it('generates a secret if none is given, shows it once, and keeps the old one for a day', async () => {
    const { sink } = await made();
    const before = await readSink(sink);
    const answer = expectStatus(await rotate(sink), 200);
    const { value, ...secret } = answer.secret;
    expect(value).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    platform().keepSecret(value as string);
    expect(secret).toEqual({ hint: `****${(value as string).slice(-4)}`, createdAt: expect.any(String) });
    expect(answer.previousSecret).toEqual({ hint: before.secret.hint, expiresAt: expect.any(String) });
    expect(Date.parse(answer.previousSecret.expiresAt) - Date.parse(secret.createdAt)).toBe(DAY_S * 1_000);
    expect(answer).toMatchObject({ configVersion: before.configVersion + 1, warnings: [] });
    expect(await readSink(sink)).toMatchObject({ secret, previousSecret: answer.previousSecret });
    const { items } = expectStatus(await sink.api.get(`${sink.agent.path}/data-sources`), 200);
    expect(items).toMatchObject([{ secret, previousSecret: answer.previousSecret }]);
  });

  it('signs with both during the overlap: a receiver can verify with either', async () => {
    const { sink, endpoint } = await made();
    const value = expectStatus(await rotate(sink), 200).secret.value as string;
    const push = await lastPush({ sink, endpoint });
    expect(verdicts(push, value)).toEqual(VALID);
    expect(verdicts(push, sink.secret)).toEqual(VALID);
    expect(verdicts(push, 'somebody else’s secret')).toEqual(WRONG);
    // The new one first: who compares the first alone goes with the times.
    const first = { ...push.headers, 'webhook-signature': push.headers['webhook-signature']?.split(' ')[0] ?? '' };
    expect(verdicts({ ...push, headers: first }, value)).toEqual(VALID);
    expect(push.headers['x-mt-signature-previous']).toMatch(/^sha256=[\da-f]{64}$/);
  });

  it('signs only with the new one after the overlap, even before the sweep', async () => {
    const { sink, endpoint } = await made();
    const value = await rotateTo(sink, { overlapSeconds: 600 });
    await letPass(sink, 540);
    const within = await lastPush({ sink, endpoint });
    expect([verdicts(within, value), verdicts(within, sink.secret)]).toEqual([VALID, VALID]);
    await letPass(sink, 60);
    const after = await lastPush({ sink, endpoint });
    expect([verdicts(after, value), verdicts(after, sink.secret)]).toEqual([VALID, WRONG]);
    expect(after.headers).not.toHaveProperty('x-mt-signature-previous');
    expect(after.headers['webhook-signature']).not.toContain(' ');
    expect(await readSink(sink)).toMatchObject({ previousSecret: null });
    expect(await secretsOf(sink)).toBe(2);
  });

  it('destroys the old one in the next sweep, with an audit entry', async () => {
    const { sink } = await made();
    await rotateTo(sink, { overlapSeconds: 60 });
    await sweep();
    expect(await secretsOf(sink)).toBe(2);
    await letPass(sink, 61);
    await Promise.all([sweep(), sweep()]);
    await sweep();
    expect(await secretsOf(sink)).toBe(1);
    expect(await auditOf(sink)).toEqual([
      {
        ...{ action: 'SECRET_ROTATED', actor_type: 'token', actor_id: expect.stringMatching(/^tok_/) },
        details: { overlapSeconds: 60, generated: false },
      },
      {
        ...{ action: 'SECRET_DESTROYED', actor_type: 'agent', actor_id: sink.agent.id },
        details: { secretId: expect.stringMatching(/^sec_/), because: 'overlap_over' },
      },
    ]);
    expect((await sink.settledPush()).status).toBe('DELIVERED');
  });

  it('applies to the next attempt of a delivery that began before', async () => {
    const { sink, endpoint } = await made({}, [{ kind: 'hold', status: 503 }, { kind: 'answer' }]);
    const { id } = await sink.deliveryOf(await sink.agent.finishJob());
    const before = await endpoint.first();
    const value = await rotateTo(sink);
    await endpoint.release();
    await sink.agent.customer.settled(id as string);
    const [, retry] = await endpoint.received(2);
    expect(verdicts(before, sink.secret)).toEqual(VALID);
    expect(verdicts(before, value)).toEqual(WRONG);
    expect(retry && [verdicts(retry, value), verdicts(retry, sink.secret)]).toEqual([VALID, VALID]);
  });

  it('applies to a Test as to a push', async () => {
    const { sink, endpoint } = await made();
    const value = await rotateTo(sink);
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    const [test] = await endpoint.received(1);
    expect(test && [verdicts(test, value), verdicts(test, sink.secret)]).toEqual([VALID, VALID]);
    await letPass(sink, DAY_S);
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    const [, later] = await endpoint.received(2);
    expect(later && [verdicts(later, value), verdicts(later, sink.secret)]).toEqual([VALID, WRONG]);
  });

  it('signs a Test with the database’s time, if this process has another', async () => {
    const { sink, endpoint } = await made();
    const value = await rotateTo(sink);
    platform()
      .app.get(ServerClock, { strict: false })
      .set(new Date(Date.now() + 2 * DAY_S * 1_000));
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    const [test] = await endpoint.received(1);
    expect(test && [verdicts(test, value), verdicts(test, sink.secret)]).toEqual([VALID, VALID]);
  });

  it('without an overlap, after a leak, destroys the old one at once', async () => {
    const { sink, endpoint } = await made();
    const value = await rotateTo(sink, { overlapSeconds: 0 });
    expect(await readSink(sink)).toMatchObject({ previousSecret: null });
    expect(await secretsOf(sink)).toBe(1);
    const push = await lastPush({ sink, endpoint });
    expect([verdicts(push, value), verdicts(push, sink.secret)]).toEqual([VALID, WRONG]);
    expect((await auditOf(sink)).map(({ action, details }) => [action, details.because])).toEqual([
      ['SECRET_ROTATED', undefined],
      ['SECRET_DESTROYED', 'rotated'],
    ]);
  });

  it('twice within an overlap destroys the oldest at once: at most two are valid', async () => {
    const { sink, endpoint } = await made();
    const second = await rotateTo(sink);
    const third = await rotateTo(sink);
    expect(await secretsOf(sink)).toBe(2);
    const push = await lastPush({ sink, endpoint });
    expect([third, second, sink.secret].map((one) => verdicts(push, one))).toEqual([VALID, VALID, WRONG]);
    expect((await auditOf(sink)).map(({ action }) => action as string)).toEqual([
      'SECRET_ROTATED',
      'SECRET_ROTATED',
      'SECRET_DESTROYED',
    ]);
  });

  it('by changing or deleting the sink also audits the end of each secret', async () => {
    const { sink } = await made();
    expectStatus(await sink.api.patch(sink.path, { secret: { value: 'replaced, and 32 bytes long too' } }), 200);
    expectStatus(await sink.api.delete(sink.path), 204);
    expect((await auditOf(sink)).map(({ action, details }) => [action, details.because])).toEqual([
      ['SECRET_DESTROYED', 'replaced'],
      ['SECRET_DESTROYED', 'sink_deleted'],
    ]);
    expect(await secretsOf(sink)).toBe(0);
  });

  it('by two people at once refuses the second', async () => {
    const { sink, endpoint } = await made();
    const values = [1, 2, 3].map(() => randomBytes(24).toString('base64url'));
    const answers = await Promise.all(values.map((value) => rotate(sink, { value })));
    for (const { status, body } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect(body.type).toBe('https://mapping.travel/errors/changed-meanwhile');
    }
    const won = values.filter((_, i) => answers[i]?.status === 200);
    expect(won.length).toBeGreaterThanOrEqual(1);
    expect((await readSink(sink)).configVersion).toBe(1 + won.length);
    expect(await secretsOf(sink)).toBe(2);
    expect((await auditOf(sink)).filter(({ action }) => action === 'SECRET_ROTATED')).toHaveLength(won.length);
    const push = await lastPush({ sink, endpoint });
    expect(won.some((value) => verdicts(push, value)[0] === 'valid')).toBe(true);
  });

  it('warns about a short secret, as at creation', async () => {
    const { sink } = await made();
    const { warnings } = expectStatus(await rotate(sink, { value: 'sixteen bytes ok' }), 200);
    expect(warnings).toEqual([expect.stringContaining('shorter than 32 bytes')]);
  });
});

describe('rotating the secret of a scheme without signatures', () => {
  it.each([
    ['Bearer', {}, 'the-old-token', 'the-new-token', 'Bearer the-new-token'],
    ['Basic', { username: 'mapping' }, 'old pass', 'new pass', `Basic ${btoa('mapping:new pass')}`],
    ['Basic', {}, 'user:old pass', 'other:new pass', `Basic ${btoa('other:new pass')}`],
  ])(
    '%s (%j) sends the new one alone from the next attempt on, and says so',
    async (authScheme, more, old, value, sent) => {
      const { sink, endpoint } = await made({ config: { authScheme, ...more }, secret: { value: old } });
      const answer = expectStatus(await rotate(sink, { value }), 200);
      expect(answer).toMatchObject({
        previousSecret: null,
        warnings: [expect.stringContaining('the old one has ended')],
      });
      expect(await secretsOf(sink)).toBe(1);
      expect((await lastPush({ sink, endpoint })).headers['authorization']).toBe(sent);
      expect((await auditOf(sink)).map(({ action }) => action as string)).toEqual([
        'SECRET_ROTATED',
        'SECRET_DESTROYED',
      ]);
      expectStatus(await rotate(sink, { value, overlapSeconds: 0 }), 200);
    },
  );

  it.each([
    ['Bearer', {}, { value: 'the-new-token', overlapSeconds: 60 }, '/overlapSeconds'],
    ['Basic', { username: 'mapping' }, { value: 'new pass', overlapSeconds: 1 }, '/overlapSeconds'],
    ['Bearer', {}, {}, '/value'],
    ['Basic', { username: 'mapping' }, { overlapSeconds: 0 }, '/value'],
    ['Bearer', {}, { value: 'with spaces' }, '/value'],
    ['Basic', {}, { value: 'without a user' }, '/value'],
  ])('%s (%j) refuses %j', async (authScheme, more, body, pointer) => {
    const { sink } = await made({ config: { authScheme, ...more }, secret: { value: 'mapper:old' } });
    const before = await readSink(sink);
    const { errors, type } = expectStatus(await rotate(sink, body), 422);
    expect([type, errors]).toEqual([
      'https://mapping.travel/errors/validation-failed',
      [{ pointer, detail: expect.any(String) }],
    ]);
    expect(await readSink(sink)).toEqual(before);
    expect(await secretsOf(sink)).toBe(1);
  });
});

describe('a rotation is refused', () => {
  it.each([
    ['/value', { value: 'short' }],
    ['/value', { value: '' }],
    ['/value', { value: null }],
    ['/value', { value: 'x'.repeat(4_097) }],
    ['/value', { value: 'whsec_not base64, and quite long' }],
    ['/overlapSeconds', { overlapSeconds: -1 }],
    ['/overlapSeconds', { overlapSeconds: 1.5 }],
    ['/overlapSeconds', { overlapSeconds: '60' }],
    ['/overlapSeconds', { overlapSeconds: null }],
    ['/overlapSeconds', { overlapSeconds: 30 * DAY_S + 1 }],
    ['/secret', { secret: { value: 'as it is at creation' } }],
  ])('at %s for %j, and nothing changes', async (pointer, body) => {
    const { sink } = await made();
    const before = await readSink(sink);
    expect(expectStatus(await rotate(sink, body), 422).errors).toMatchObject([{ pointer }]);
    expect(await readSink(sink)).toEqual(before);
    expect(await auditOf(sink)).toEqual([]);
  });

  it('and accepted with the longest overlap', async () => {
    const { sink } = await made();
    expectStatus(await rotate(sink, { overlapSeconds: 30 * DAY_S }), 200);
  });

  it('on a plan without data sinks', async () => {
    const { sink } = await made();
    await platform().changePlan(sink.agent.customer.workspaceId, 'BASIC');
    expect(expectStatus(await rotate(sink), 403).type).toBe('https://mapping.travel/errors/plan-required');
    expect(await secretsOf(sink)).toBe(1);
  });
});

describe('during an overlap', () => {
  it('a change without a secret keeps the overlap', async () => {
    const { sink, endpoint } = await made();
    await rotateTo(sink);
    const { previousSecret } = await readSink(sink);
    const changed = expectStatus(await sink.api.patch(sink.path, { name: 'Renamed' }), 200);
    expect(changed).toMatchObject({ name: 'Renamed', previousSecret });
    expect(verdicts(await lastPush({ sink, endpoint }), sink.secret)).toEqual(VALID);
  });

  it.each([
    ['another secret', (): object => ({ secret: { value: randomBytes(24).toString('base64url') } })],
    ['another scheme', (): object => ({ config: { authScheme: 'Bearer' }, secret: { value: 'a-bearer-token' } })],
    [
      'another host',
      (): object => ({
        config: { url: 'https://elsewhere.example.com/' },
        secret: { value: randomBytes(24).toString('base64url') },
      }),
    ],
  ])('a change to %s ends it: both old secrets are destroyed', async (_what, patch) => {
    const { sink } = await made();
    await rotateTo(sink);
    expect(expectStatus(await sink.api.patch(sink.path, patch()), 200)).toMatchObject({ previousSecret: null });
    expect(await secretsOf(sink)).toBe(1);
    expect((await auditOf(sink)).at(-1)).toMatchObject({
      action: 'SECRET_DESTROYED',
      details: { because: 'replaced' },
    });
    await sweep();
    expect(eventsOf(sink)).toEqual([]);
  });

  it('deleting the sink destroys both secrets', async () => {
    const { sink } = await made();
    await rotateTo(sink);
    expectStatus(await sink.api.delete(sink.path), 204);
    expect(await secretsOf(sink)).toBe(0);
    expect((await auditOf(sink)).at(-1)).toMatchObject({ details: { because: 'sink_deleted' } });
    await sweep();
    expect(eventsOf(sink)).toEqual([]);
  });
});

describe('DataSinkSecretExpiring', () => {
  it('is emitted once, an hour before the overlap ends', async () => {
    const { sink } = await made();
    await rotateTo(sink);
    await sweep();
    expect(eventsOf(sink)).toEqual([]);
    await letPass(sink, DAY_S - 3_500);
    await Promise.all([sweep(), sweep()]);
    await sweep();
    const { workspaceId } = sink.agent.customer;
    const { previousSecret } = await readSink(sink);
    expect(eventsOf(sink)).toEqual([
      { workspaceId, agentId: sink.agent.id, dataSourceId: sink.id, expiresAt: new Date(previousSecret.expiresAt) },
    ]);
    await letPass(sink, 3_600);
    await sweep();
    expect(eventsOf(sink)).toHaveLength(1);
  });

  it('is emitted by the first sweep when the overlap is shorter, and again for the next rotation', async () => {
    const { sink } = await made();
    await rotateTo(sink, { overlapSeconds: 60 });
    await sweep();
    expect(eventsOf(sink)).toHaveLength(1);
    await rotateTo(sink, { overlapSeconds: 60 });
    await sweep();
    expect(eventsOf(sink)).toHaveLength(2);
  });
});
