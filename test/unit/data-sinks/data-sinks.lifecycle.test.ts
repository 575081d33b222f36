import { expect, it } from '@jest/globals';
import { DataSinksRuntime } from '../../../src/data-sinks/data-sinks.lifecycle.js';

type Given = ConstructorParameters<typeof DataSinksRuntime>;

const database = {
  driver: {},
  manager: {},
  options: {},
  namingStrategy: { tableName: (_target: string, name: string) => name },
  hasMetadata: () => true,
  getMetadata: () => ({ columns: [] }),
};

/** A runtime whose parts tell in which order they were asked. */
function runtimeOf({ worker = true, sweeping = Promise.resolve(), partitioning = Promise.resolve() } = {}) {
  const asked: string[] = [];
  const say = (what: string, answer?: Promise<void>) => async () => (asked.push(what), answer);
  const runtime = new DataSinksRuntime(
    { worker, shutdownGraceMs: 50 } as Given[0],
    undefined,
    {} as Given[2],
    { start: say('worker'), stop: say('worker stops') } as unknown as Given[3],
    {
      makePartitions: say('partitions', partitioning),
      start: say('upkeep'),
      stop: say('upkeep stops', sweeping),
    } as unknown as Given[4],
    { stop: say('outbox empties') } as unknown as Given[5],
    { close: say('destinations close') } as unknown as Given[6],
    { close: say('client closes') } as unknown as Given[7],
    { close: say('body thread closes') } as unknown as Given[8],
    { beginAtZero: () => undefined, watch: () => () => undefined } as unknown as Given[9],
    { dataSource: database } as unknown as Given[10],
    {} as Given[11],
    { start: say('presence'), stop: say('presence stops') } as unknown as Given[12],
    { start: () => asked.push('release'), stop: say('release stops') } as unknown as Given[13],
    {} as Given[14],
    {},
  );
  return { runtime, asked };
}

it('creates partitions before anything is claimed', async () => {
  const { runtime, asked } = runtimeOf();
  await runtime.onApplicationBootstrap();
  expect(asked).toEqual(['partitions', 'presence', 'worker', 'release', 'upkeep']);
});

it('starts nothing when the host is told to stop while partitions are created', async () => {
  let made: () => void = () => undefined;
  const { runtime, asked } = runtimeOf({ partitioning: new Promise((resolve) => (made = resolve)) });
  const starting = runtime.onApplicationBootstrap();
  await runtime.beforeApplicationShutdown();
  made();
  await starting;
  expect(asked).not.toContain('worker');
});

it('an API-only process creates no partitions', async () => {
  const { runtime, asked } = runtimeOf({ worker: false });
  await runtime.onApplicationBootstrap();
  expect(asked).toEqual([]);
});

it('shutdown stops the worker first and waits for a sweep no longer than the grace period', async () => {
  const { runtime, asked } = runtimeOf({ sweeping: new Promise(() => undefined) });
  await runtime.beforeApplicationShutdown();
  expect(asked).toEqual([
    ...['worker stops', 'release stops', 'upkeep stops', 'outbox empties', 'presence stops'],
    ...['destinations close', 'client closes', 'body thread closes'],
  ]);
});
