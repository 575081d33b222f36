import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import {
  endOverlap,
  listEndedOverlaps,
  markEndingOverlaps,
  rotateSecret,
} from '../../../src/data-sinks/sinks/secret-overlaps.sql.js';
import { ModuleDatabase } from './module-database.js';

const [SECOND, HOUR, DAY] = [1_000, 3_600_000, 86_400_000];
const OWNER = { workspaceId: 'ws_1' };
const SCOPE = { ...OWNER, agentId: 'agt_1' };

let database: ModuleDatabase;
let sinks: DataSinkRepository;
let id: string;

beforeAll(async () => {
  database = await ModuleDatabase.open();
  sinks = new DataSinkRepository(databaseOf(database.manager));
});
beforeEach(async () => {
  await database.clear();
  id = await database.sink({ secret_id: 'sec_1', secret_hint: '****1111' });
});
afterAll(() => database.dataSource.destroy());

const rotate = (to: string, configVersion: number, overlapMs = DAY) =>
  rotateSecret(
    databaseOf(database.manager),
    { ...OWNER, id, configVersion },
    { id: to, hint: `****${to}` },
    overlapMs / SECOND,
  );
const read = () => sinks.find(SCOPE, id);

describe('a rotation', () => {
  it('sets the new secret and keeps the previous one until the overlap ends, by the database’s clock', async () => {
    await database.advance(10 * DAY);
    const now = await database.now();
    expect(await rotate('sec_2', 1)).toEqual([]);
    const sink = await read();
    expect(sink).toMatchObject({
      configVersion: 2,
      secret: { id: 'sec_2', hint: '****sec_2' },
      previousSecret: { id: 'sec_1', hint: '****1111' },
    });
    expect(Math.abs((sink?.secret.createdAt.getTime() ?? 0) - now)).toBeLessThan(HOUR);
    expect(sink?.previousSecret?.expiresAt.getTime()).toBe((sink?.secret.createdAt.getTime() ?? 0) + DAY);
    expect(await sinks.list(SCOPE, { limit: 1, afterId: null })).toMatchObject({ items: [sink] });
  });

  it('without an overlap retires the previous one at once', async () => {
    expect(await rotate('sec_2', 1, 0)).toEqual(['sec_1']);
    expect(await read()).toMatchObject({ secret: { id: 'sec_2' }, previousSecret: null });
  });

  it('during an overlap retires the oldest: at most two are in use', async () => {
    await rotate('sec_2', 1);
    expect(await rotate('sec_3', 2)).toEqual(['sec_1']);
    expect(await read()).toMatchObject({ secret: { id: 'sec_3' }, previousSecret: { id: 'sec_2' } });
  });

  it('during an overlap and without one retires both', async () => {
    await rotate('sec_2', 1);
    expect((await rotate('sec_3', 2, 0))?.sort()).toEqual(['sec_1', 'sec_2']);
    expect(await read()).toMatchObject({ secret: { id: 'sec_3' }, previousSecret: null });
  });

  it('of a sink that was changed concurrently writes nothing', async () => {
    await rotate('sec_2', 1);
    expect(await rotate('sec_3', 1)).toBeNull();
    expect(await read()).toMatchObject({ configVersion: 2, secret: { id: 'sec_2' } });
  });

  it('of a sink that was deleted writes nothing', async () => {
    await sinks.delete(SCOPE, id);
    expect(await rotate('sec_2', 1)).toBeNull();
  });
});

describe('an overlap that has ended', () => {
  it('is not visible any more, even before the sweep', async () => {
    await rotate('sec_2', 1, 60 * SECOND);
    await database.advance(59 * SECOND);
    expect((await read())?.previousSecret).toMatchObject({ id: 'sec_1' });
    await database.advance(2 * SECOND);
    expect((await read())?.previousSecret).toBeNull();
    expect(await database.all('SELECT previous_secret_id FROM agent_data_source')).toEqual([
      { previous_secret_id: 'sec_1' },
    ]);
  });

  it('no longer signs: claims return the previous secret only until then', async () => {
    await rotate('sec_2', 1, 60 * SECOND);
    const claimed = async () => {
      await database.delivery(id);
      const [delivery] = await database.claim({ batch: 1, leaseMs: 1 });
      return delivery?.sink;
    };
    const sink = await read();
    await database.advance(59 * SECOND);
    expect(await claimed()).toMatchObject({
      secretId: 'sec_2',
      previousSecret: { secretId: 'sec_1', expiresAt: sink?.previousSecret?.expiresAt },
    });
    await database.advance(2 * SECOND);
    expect(await claimed()).toMatchObject({ secretId: 'sec_2', previousSecret: null });
  });

  it('is listed for the sweeper, oldest first; others are not', async () => {
    const other = await database.sink({ secret_id: 'sec_9' });
    await rotate('sec_2', 1, 60 * SECOND);
    await rotateSecret(
      databaseOf(database.manager),
      { ...OWNER, id: other, configVersion: 1 },
      { id: 'sec_8', hint: null },
      30,
    );
    const list = async (limit = 10) =>
      (await listEndedOverlaps(databaseOf(database.manager), limit)).map((one) => one.secretId);
    expect(await list()).toEqual([]);
    await database.advance(31 * SECOND);
    expect(await list()).toEqual(['sec_9']);
    await database.advance(31 * SECOND);
    expect([await list(), await list(1)]).toEqual([['sec_9', 'sec_1'], ['sec_9']]);
  });
});

describe('ending an overlap', () => {
  it('is done by one of several callers', async () => {
    await rotate('sec_2', 1);
    const ended = await Promise.all([
      endOverlap(databaseOf(database.manager), { ...OWNER, id }),
      endOverlap(databaseOf(database.manager), { ...OWNER, id }),
    ]);
    expect(ended.filter((one) => one !== null)).toEqual(['sec_1']);
    expect(await read()).toMatchObject({ configVersion: 2, secret: { id: 'sec_2' }, previousSecret: null });
    expect(await endOverlap(databaseOf(database.manager), { ...OWNER, id })).toBeNull();
  });

  it('does not affect the next overlap', async () => {
    await rotate('sec_2', 1);
    await rotate('sec_3', 2);
    expect(await endOverlap(databaseOf(database.manager), { ...OWNER, id }, 'sec_1')).toBeNull();
    expect((await read())?.previousSecret).toMatchObject({ id: 'sec_2' });
    expect(await endOverlap(databaseOf(database.manager), { ...OWNER, id }, 'sec_2')).toBe('sec_2');
  });
});

describe('the notice before the end of an overlap', () => {
  const told = async () =>
    (await markEndingOverlaps(databaseOf(database.manager), HOUR)).map(({ secretId }) => secretId);

  it('is due once, at the configured time before the end', async () => {
    await rotate('sec_2', 1, 2 * HOUR);
    expect(await told()).toEqual([]);
    await database.advance(HOUR + SECOND);
    const twice = await Promise.all([told(), told()]);
    expect(twice.flat()).toEqual(['sec_1']);
    await database.advance(2 * HOUR);
    expect(await told()).toEqual([]);
  });

  it('is due at once for a shorter overlap, or if it was missed', async () => {
    await rotate('sec_2', 1, 60 * SECOND);
    expect(await told()).toEqual(['sec_1']);
    await rotate('sec_3', 2, 2 * HOUR);
    await database.advance(DAY);
    expect(await told()).toEqual(['sec_2']);
  });

  it('is due again for each rotation, and never without an overlap', async () => {
    await rotate('sec_2', 1, 60 * SECOND);
    expect(await told()).toEqual(['sec_1']);
    await rotate('sec_3', 2, 60 * SECOND);
    expect(await told()).toEqual(['sec_2']);
    await rotate('sec_4', 3, 0);
    expect(await told()).toEqual([]);
  });
});
