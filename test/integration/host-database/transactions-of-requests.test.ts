import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource, type EntityManager, Repository } from 'typeorm';
import { Receiver } from '../../support/platform/receiver-process.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { expectStoryOf } from './customer-story.js';
import { type HostHabits, HostWithDataSource } from './host-with-data-source.js';

let receiver: Receiver;
let database: TestDatabase;
let undo: (() => void) | null = null;

beforeAll(async () => {
  receiver = await Receiver.start();
  database = await emptyPostgres();
});
afterEach(() => undo?.());
afterAll(async () => {
  await receiver.stop();
  await database.drop();
});

/**
 * As typeorm-transactional and its kin do it: a transaction is found by the context of the call, also by a DataSource and
 * by repositories that were there before it.
 * @param ends how the transaction of each request ends, once it has been answered
 */
function transactionalRequests(ends: () => void): HostHabits {
  const active = new AsyncLocalStorage<EntityManager>();
  let pool: EntityManager;
  const managers = new WeakMap<object, EntityManager>();
  Object.defineProperty(Repository.prototype, 'manager', {
    configurable: true,
    get(this: object) {
      return active.getStore() ?? managers.get(this);
    },
    set(this: object, manager: EntityManager) {
      managers.set(this, manager);
    },
  });
  undo = () => Reflect.deleteProperty(Repository.prototype, 'manager');
  const made = (dataSource: DataSource): DataSource => {
    pool = dataSource.manager;
    return Object.defineProperty(dataSource, 'manager', { configurable: true, get: () => active.getStore() ?? pool });
  };
  const answered = (response: EventEmitter, next: () => void): Promise<void> =>
    new Promise((resolve) => {
      response.once('finish', resolve);
      next();
    });
  return {
    made,
    configure: (app) =>
      app.use((_request: object, response: EventEmitter, next: () => void) => {
        const ended = pool.transaction(async (transaction) => {
          await active.run(transaction, () => answered(response, next));
          ends();
        });
        ended.catch(() => undefined);
      }),
  };
}

describe('a host that runs each request in a transaction, which a DataSource finds by the context of the call', () => {
  it.each([
    ['commits', () => undefined],
    [
      'rolls back',
      () => {
        throw new Error('the host rolls back');
      },
    ],
  ])('has on record what the API has answered, when it %s its own', async (_how, ends) => {
    const host = await HostWithDataSource.start({ url: database.url }, {}, transactionalRequests(ends));
    try {
      const id = await expectStoryOf(host, receiver);
      const path = `/agents/agt_1/data-sources/${id}`;
      expect(await host.call('PATCH', path, { name: 'Another' })).toMatchObject({ status: 200 });
      expect(await host.call('POST', `${path}/secret`, {})).toMatchObject({ status: 200 });
      expect(await host.call('GET', path)).toMatchObject({ status: 200, body: { name: 'Another' } });
      expect(await host.call('DELETE', path)).toMatchObject({ status: 204 });
      expect(await host.call('GET', path)).toMatchObject({ status: 404 });
    } finally {
      await host.stop();
    }
  });
});
