import { expect, it } from '@jest/globals';
import { DataSinksRuntime } from '../../../src/data-sinks/data-sinks-runtime.js';

type Given = ConstructorParameters<typeof DataSinksRuntime>;

/** A runtime whose parts tell in which order they were asked. */
function runtimeOf({ worker = true, sweeping = Promise.resolve(), partitioning = Promise.resolve() } = {}) {
  const asked: string[] = [];
  const say = (what: string, answer?: Promise<void>) => async () => (asked.push(what), answer);
  const runtime = new DataSinksRuntime(
    { worker, shutdownGraceMs: 50 } as Given[0],
    undefined,
    {} as Given[2],
    { start: say('worker'), stop: say('worker stops') } as unknown as Given[3],
    { makePartitions: say('partitions', partitioning) } as unknown as Given[4],
    { start: say('sweeper'), stop: say('sweeper stops', sweeping) } as unknown as Given[5],
    { start: say('recoveries'), stop: say('recoveries stop') } as unknown as Given[6],
    { close: say('client closes') } as unknown as Given[7],
    { close: say('press closes') } as unknown as Given[8],
    { watchQueue: () => () => undefined } as unknown as Given[9],
    { driver: {}, manager: {}, hasMetadata: () => true } as unknown as Given[10],
  );
  return { runtime, asked };
}

it('partitions are made before anything is claimed', async () => {
  const { runtime, asked } = runtimeOf();
  await runtime.onApplicationBootstrap();
  expect(asked).toEqual(['partitions', 'worker', 'sweeper', 'recoveries']);
});

it('nothing is started by a host that was told to stop while they were made', async () => {
  let made: () => void = () => undefined;
  const { runtime, asked } = runtimeOf({ partitioning: new Promise((resolve) => (made = resolve)) });
  const starting = runtime.onApplicationBootstrap();
  await runtime.beforeApplicationShutdown();
  made();
  await starting;
  expect(asked).not.toContain('worker');
});

it('a process that only answers the API makes none', async () => {
  const { runtime, asked } = runtimeOf({ worker: false });
  await runtime.onApplicationBootstrap();
  expect(asked).toEqual([]);
});

it('at the end the worker stops first, and a sweep that goes on is waited for no longer than the grace', async () => {
  const { runtime, asked } = runtimeOf({ sweeping: new Promise(() => undefined) });
  await runtime.beforeApplicationShutdown();
  expect(asked).toEqual(['worker stops', 'sweeper stops', 'recoveries stop', 'client closes', 'press closes']);
});
