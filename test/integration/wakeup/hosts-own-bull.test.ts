import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { BullModule, getQueueToken, Process, Processor, type SharedBullConfigurationFactory } from '@nestjs/bull';
import { type DynamicModule, type INestApplicationContext, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job, Queue, QueueOptions } from 'bull';
import { Redis } from 'ioredis';
import { bullWakeup } from '../../../src/data-sinks/bull.js';
import { ConfigurationError } from '../../../src/data-sinks/domain/errors.js';
import { WAKEUP_QUEUE } from '../../../src/data-sinks/queue/wakeup/bull.wakeup.js';
import { Outages } from '../../../src/data-sinks/telemetry/outages.js';
import { Telemetry } from '../../../src/data-sinks/telemetry/telemetry.js';
import { Wakeup } from '../../../src/data-sinks/queue/wakeup/wakeup.js';
import { until } from '../../support/platform/until.js';
import { redisUrl } from '../../support/services/real-services.js';

const MINUTE = 60_000;
const HOURS = 3_600_000;
const [OURS_DB, THEIRS_DB] = [0, 9];

let ours: Redis;
let theirs: Redis;
let prefix: string;
let contexts: INestApplicationContext[];

beforeAll(() => {
  ours = new Redis(redisUrl(), { db: OURS_DB });
  theirs = new Redis(redisUrl(), { db: THEIRS_DB });
});
beforeEach(() => {
  prefix = `{bull-${randomUUID()}}`;
  contexts = [];
});
afterEach(async () => {
  for (const context of contexts) await context.close();
});
afterAll(() => [ours, theirs].forEach((client) => client.disconnect()));

/** A host with what it has of Bull, and the module's wake-ups in it. */
async function hostWith(imports: DynamicModule[], providers: Provider[] = []): Promise<INestApplicationContext> {
  const adapter = bullWakeup({ url: redisUrl(), prefix });
  class HostModule {}
  const own = [{ provide: Outages, useValue: new Outages(new Telemetry()) }];
  Module({ imports: [...imports, ...adapter.imports], providers: [...own, adapter.provider, ...providers] })(
    HostModule,
  );
  const context = await NestFactory.createApplicationContext(HostModule, { logger: false });
  contexts.push(context);
  return context;
}

/** One process wakes another. @returns how often it was woken until then */
async function wakes(sender: INestApplicationContext, worker: INestApplicationContext): Promise<number> {
  let woken = 0;
  await worker.get(Wakeup).start(() => woken++);
  sender.get(Wakeup).notify();
  return until(() => woken > 0 && woken, 'the other process is woken', MINUTE);
}

/** All that is in their database under a prefix, byte by byte. */
async function contents(of: string): Promise<Record<string, string | undefined>> {
  const keys = (await theirs.keys(`${of}*`)).sort();
  const dumped = await Promise.all(keys.map(async (key) => (await theirs.dumpBuffer(key))?.toString('hex')));
  return Object.fromEntries(keys.map((key, i) => [key, dumped[i]]));
}

const connection = (): QueueOptions['redis'] => {
  const { hostname, port } = new URL(redisUrl());
  return { host: hostname, port: Number(port), db: THEIRS_DB };
};

/** What hosts give to all of their queues, each of which would change or stop wake-ups. */
const HABITS: Readonly<Record<string, () => QueueOptions & { url?: string; processors?: (() => Promise<void>)[] }>> = {
  'another database of Redis': () => ({ redis: connection() }),
  'a Redis that is not there': () => ({ redis: { host: '127.0.0.1', port: 1 } }),
  'the URL of a Redis that is not there': () => ({ url: 'redis://127.0.0.1:1' }),
  'a prefix': () => ({ redis: connection(), prefix: 'theirs' }),
  'delays, priorities and jobs that are kept': () => ({
    redis: connection(),
    defaultJobOptions: { delay: HOURS, priority: 10, attempts: 5, removeOnComplete: false, jobId: 'always-the-same' },
  }),
  'a limit of one job an hour': () => ({ redis: connection(), limiter: { max: 1, duration: HOURS } }),
  'other settings': () => ({
    redis: connection(),
    settings: {
      drainDelay: 3_600,
      guardInterval: HOURS,
      retryProcessDelay: HOURS,
      lockDuration: 1,
      maxStalledCount: 0,
    },
  }),
  'a processor for all jobs': () => ({ redis: connection(), processors: [() => Promise.reject(new Error('theirs'))] }),
};

describe('wake-ups are independent of a host whose queues all have', () => {
  it.each(Object.entries(HABITS))(
    '%s',
    async (_name, habit) => {
      const imports = (): DynamicModule[] => [BullModule.forRoot(habit())];
      const [sender, worker] = [await hostWith(imports()), await hostWith(imports())];
      expect(await wakes(sender, worker)).toBeGreaterThan(0);
      expect((await ours.keys(`${prefix}*`)).length).toBeGreaterThan(0);
      expect(await contents(prefix)).toEqual({});
    },
    2 * MINUTE,
  );

  it(
    'a configuration that a factory makes',
    async () => {
      const useFactory: SharedBullConfigurationFactory['createSharedConfiguration'] = () => ({
        redis: connection(),
        defaultJobOptions: { delay: HOURS },
      });
      const imports = (): DynamicModule[] => [BullModule.forRootAsync({ useFactory })];
      expect(await wakes(await hostWith(imports()), await hostWith(imports()))).toBeGreaterThan(0);
    },
    2 * MINUTE,
  );
});

it(
  'a host’s queue, its jobs and its keys are as they were, and only its own processor takes them',
  async () => {
    const name = `reports-${randomUUID()}`;
    const taken: unknown[] = [];
    @Processor(name)
    class Reports {
      @Process('*')
      take({ name: job, data }: Job): void {
        taken.push([job, data]);
      }
    }
    const imports = (): DynamicModule[] => [
      BullModule.forRoot({ redis: connection(), prefix: name, defaultJobOptions: { delay: HOURS, attempts: 3 } }),
      BullModule.registerQueue({ name }),
    ];
    const sender = await hostWith(imports());
    const queue = sender.get<Queue>(getQueueToken(name), { strict: false });
    await queue.add('report', { rows: 3 });
    const before = await contents(name);
    expect(Object.keys(before).length).toBeGreaterThan(2);
    const worker = await hostWith(imports());
    await wakes(sender, worker);
    expect(await contents(name)).toEqual(before);
    const [job] = await queue.getDelayed();
    expect(job?.opts).toMatchObject({ delay: HOURS, attempts: 3 });

    await hostWith(imports(), [Reports]);
    await job?.promote();
    await until(() => taken.length > 0, 'the host takes its job', MINUTE);
    const generation = async (): Promise<number> => Number(await ours.get(`${prefix}:${WAKEUP_QUEUE}:generation`));
    const wokenBefore = await generation();
    sender.get(Wakeup).notify();
    await until(async () => (await generation()) > wokenBefore, 'the worker is woken', MINUTE);
    expect(taken).toEqual([['report', { rows: 3 }]]);
  },
  3 * MINUTE,
);

it('the boot stops without its own Redis configuration, and says what to set', () => {
  expect(() => bullWakeup()).toThrow(ConfigurationError);
  expect(() => bullWakeup({ prefix: 'x' })).toThrow('bullWakeup needs a Redis: set url');
});
