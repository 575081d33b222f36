import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Client, Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { CLAIM } from '../../../src/data-sinks/queue/claim.sql.js';
import { outliveConnectionErrors } from '../../../src/data-sinks/database/connection-errors.js';
import { startPlatform } from '../../support/platform/start-platform.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';

let database: TestDatabase;
const open = () => new DataSource({ type: 'postgres', url: database.url }).initialize();

beforeAll(async () => {
  database = await emptyPostgres();
});
afterAll(() => database.drop());

const poolOf = (dataSource: DataSource) => (dataSource.driver as unknown as { master: Pool }).master;

/** What the last words of a server that shuts down do when they come with the answer before them. */
const errorOnHandingOver = (dataSource: DataSource): Promise<unknown> =>
  new Promise((resolve, reject) => {
    poolOf(dataSource).connect((error, client, release) => {
      if (error || !client) return reject(error ?? new Error('no connection'));
      try {
        (client as unknown as Client).emit('error', new Error('terminating connection due to administrator command'));
        resolve('outlived');
      } catch (thrown) {
        resolve(thrown);
      } finally {
        release(true);
      }
    });
  });

it('an error of a connection between two users ends no process, and the next statement uses another one', async () => {
  const dataSource = await open();
  // Without it, what Node makes of an error that nobody listens for.
  expect(String(await errorOnHandingOver(dataSource))).toContain('terminating connection');
  outliveConnectionErrors(dataSource);
  outliveConnectionErrors(dataSource);
  for (let i = 0; i < 3; i++) expect(await errorOnHandingOver(dataSource)).toBe('outlived');
  expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(poolOf(dataSource).listenerCount('acquire')).toBe(1);
  await dataSource.destroy();
});

it('a running module survives it and continues to push', async () => {
  const platform = await startPlatform({ mode: 'services' });
  try {
    const agent = await (await platform.customer()).agent();
    const sink = await agent.sink(await platform.receiver.endpoint());
    expect(await errorOnHandingOver(platform.database)).toBe('outlived');
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
  } finally {
    await platform.stop();
  }
});

/** From now on the next claim waits for an answer that does not come, as on a connection that a proxy has lost. */
function loseNextClaim(dataSource: DataSource): () => boolean {
  let isLost = false;
  const known = new WeakSet<PoolClient>();
  poolOf(dataSource).on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    const asked = client as unknown as { query: (statement: string | object, ...rest: unknown[]) => unknown };
    const query = asked.query.bind(client);
    asked.query = (statement, ...rest) => {
      const isClaim = typeof statement === 'object' && 'text' in statement && statement.text === CLAIM;
      if (isLost || !isClaim) return query(statement, ...rest);
      isLost = true;
      return query({ ...statement, name: 'lost', text: 'SELECT pg_sleep(600)', values: [] }, ...rest);
    };
  });
  return () => isLost;
}

it('a running module survives a claim without an answer: it continues to push, and shuts down', async () => {
  const platform = await startPlatform({ mode: 'services', options: { leaseMs: 1_000 } });
  let hasPushed: unknown;
  try {
    const agent = await (await platform.customer()).agent();
    const sink = await agent.sink(await platform.receiver.endpoint());
    // A first push is handed over to the worker; a redelivery is claimed.
    const { id } = await sink.settledPush();
    const isLost = loseNextClaim(platform.database);
    await sink.api.post(`deliveries/${id}/redeliver`);
    hasPushed = await agent.customer.settled(id);
    expect(isLost()).toBe(true);
  } finally {
    // Waits until nobody has a connection of the pool's any more.
    await platform.stop();
  }
  expect(hasPushed).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
});
