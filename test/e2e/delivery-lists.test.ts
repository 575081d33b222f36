import { describe, expect, it } from '@jest/globals';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

interface Scene {
  readonly agent: Agent;
  /** Of two agents. */
  readonly good: Sink;
  readonly bad: Sink;
  /** Oldest first: delivered, failed, delivered, failed. */
  readonly made: readonly Body[];
}

/** A workspace with two agents, a receiver each: one takes all, and one refuses all. */
async function scene(): Promise<Scene> {
  const customer = await platform().customer();
  const [agent, other] = [await customer.agent(), await customer.agent()];
  const good = await agent.sink(await platform().receiver.endpoint());
  const bad = await other.sink(await platform().receiver.endpoint([{ kind: 'answer', status: 400 }]));
  const made: Body[] = [];
  for (const sink of [good, bad, good, bad]) made.push(await sink.settledPush());
  return { agent, good, bad, made };
}

const idsOf = (items: readonly Body[]): string[] => items.map(({ id }) => id as string);

async function listed({ agent }: Scene, query: string, path = 'deliveries'): Promise<string[]> {
  return idsOf(expectStatus(await agent.api.get(`${path}${query}`), 200).items);
}

describe('the list of a workspace’s deliveries', () => {
  it('has those of all its sinks, newest or oldest first, in pages', async () => {
    const given = await scene();
    const oldest = idsOf(given.made);
    expect(await listed(given, '')).toEqual(oldest.toReversed());
    expect(await listed(given, '?order=oldest')).toEqual(oldest);
    const first = expectStatus(await given.agent.api.get('deliveries?limit=3'), 200);
    const second = expectStatus(await given.agent.api.get(`deliveries?limit=3&cursor=${first.nextCursor}`), 200);
    expect(idsOf([...first.items, ...second.items])).toEqual(oldest.toReversed());
    expect(second.nextCursor).toBeNull();
  });

  it('has those of a deleted sink, and none of another workspace', async () => {
    const given = await scene();
    expectStatus(await given.bad.api.delete(given.bad.path), 204);
    expect(await listed(given, '?order=oldest')).toEqual(idsOf(given.made));
    const stranger = await platform().customer();
    expect(expectStatus(await stranger.api.get('deliveries'), 200)).toEqual({ items: [], nextCursor: null });
    for (const filter of [`sinkId=${given.good.id}`, `jobId=${given.made[0]?.jobId}`]) {
      expect(expectStatus(await stranger.api.get(`deliveries?${filter}`), 200).items).toEqual([]);
    }
  });

  it('is filtered by job, status, sink, error code and time', async () => {
    const given = await scene();
    const [one, two, three, four] = given.made;
    expect(await listed(given, `?jobId=${two?.jobId}`)).toEqual([two?.id]);
    expect(await listed(given, '?status=FAILED')).toEqual([four?.id, two?.id]);
    expect(await listed(given, '?status=FAILED,DELIVERED&order=oldest')).toEqual(idsOf(given.made));
    expect(await listed(given, '?status=PENDING,RETRYING,IN_FLIGHT')).toEqual([]);
    expect(await listed(given, `?sinkId=${given.good.id}`)).toEqual([three?.id, one?.id]);
    expect(await listed(given, `?sinkId=${given.good.id}&status=FAILED`)).toEqual([]);
    expect(await listed(given, '?errorCode=rejected_by_receiver')).toEqual([four?.id, two?.id]);
    expect(await listed(given, '?errorCode=dns_not_found')).toEqual([]);
    expect(await listed(given, `?since=${two?.createdAt}&until=${four?.createdAt}`)).toEqual([three?.id, two?.id]);
    expect(await listed(given, `?until=${one?.createdAt}`)).toEqual([]);
  });
});

describe('the list of a sink’s', () => {
  it('deliveries is filtered by error code and until a time, too', async () => {
    const given = await scene();
    const [, two, , four] = given.made;
    const path = `${given.bad.path}/deliveries`;
    expect(await listed(given, '?errorCode=rejected_by_receiver&order=oldest', path)).toEqual([two?.id, four?.id]);
    expect(await listed(given, '?errorCode=dns_not_found', path)).toEqual([]);
    expect(await listed(given, `?until=${four?.createdAt}`, path)).toEqual([two?.id]);
  });

  it('attempts is filtered by job, status, error code and time, newest or oldest first', async () => {
    const given = await scene();
    const [two, four] = given.made.filter((_, i) => i % 2 === 1).map(({ attempts }) => attempts[0] as Body);
    const path = `${given.bad.path}/syncs`;
    expect(await listed(given, '', path)).toEqual([four?.id, two?.id]);
    expect(await listed(given, '?order=oldest', path)).toEqual([two?.id, four?.id]);
    expect(await listed(given, `?jobId=${four?.jobId}`, path)).toEqual([four?.id]);
    expect(await listed(given, '?status=HTTP_4XX,TIMEOUT', path)).toEqual([four?.id, two?.id]);
    expect(await listed(given, '?status=SUCCEEDED', path)).toEqual([]);
    expect(await listed(given, '?errorCode=rejected_by_receiver', path)).toEqual([four?.id, two?.id]);
    expect(await listed(given, `?since=${four?.startedAt}`, path)).toEqual([four?.id]);
    expect(await listed(given, `?until=${four?.startedAt}`, path)).toEqual([two?.id]);
  });

  it.each([
    ['deliveries', 'status=SUCCEEDED', '?status'],
    ['deliveries', 'errorCode=nonsense', '?errorCode'],
    ['deliveries', 'until=tomorrow', '?until'],
    ['syncs', 'status=DELIVERED', '?status'],
    ['syncs', 'order=random', '?order'],
    ['syncs', 'sinkId=ads_01J5Z0000000000000000000AB', '?sinkId'],
  ])('%s is refused with ?%s', async (list, query, pointer) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { errors } = expectStatus(await sink.api.get(`${sink.path}/${list}?${query}`), 422);
    expect(errors).toMatchObject([{ pointer }]);
  });
});
