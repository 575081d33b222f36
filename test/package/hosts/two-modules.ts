import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSinks, DataSinksModule, type JobCompleted } from 'nestjs-data-sinks';
import { bullWakeup } from 'nestjs-data-sinks/bull';
import type { DataSource } from 'typeorm';
import { environment, onOrder, openDatabase, Tenant } from './tenant.js';

const SIDES = ['left', 'right'] as const;
type Side = (typeof SIDES)[number];

/** The same workspace and agent on both sides: what keeps them apart is the module alone. */
const tenants: Record<Side, Tenant> = { left: new Tenant('mt_left'), right: new Tenant('mt_right') };

@Injectable()
class LeftJobs {
  constructor(readonly dataSinks: DataSinks) {}
}

@Injectable()
class RightJobs {
  constructor(readonly dataSinks: DataSinks) {}
}

function sinksOf(side: Side, path: string) {
  const queue = `data-sinks-${side}`;
  return DataSinksModule.forRoot({
    ports: tenants[side].ports(),
    dataSourceName: side,
    path,
    isGlobal: false,
    wakeup: bullWakeup({ queue, url: environment('REDIS_URL'), prefix: environment('REDIS_PREFIX') }),
    vaultKeys: environment(`${side.toUpperCase()}_VAULT_KEYS`),
    workerId: `worker-${side}`,
    allowPrivateEndpoints: ['127.0.0.0/8'],
  });
}

@Module({ imports: [sinksOf('left', '/left/api/')], providers: [LeftJobs] })
class LeftModule {}

@Module({ imports: [sinksOf('right', 'right')], providers: [RightJobs] })
class RightModule {}

async function main(): Promise<void> {
  const databases: Record<Side, DataSource> = {
    left: await openDatabase('LEFT_DATABASE_URL'),
    right: await openDatabase('RIGHT_DATABASE_URL'),
  };

  @Module({
    imports: [
      ...SIDES.map((name) =>
        TypeOrmModule.forRootAsync({
          name,
          useFactory: () => ({ type: 'postgres', name }),
          dataSourceFactory: () => Promise.resolve(databases[name]),
        }),
      ),
      LeftModule,
      RightModule,
    ],
  })
  class HostModule {}

  const app = await NestFactory.create(HostModule);
  await app.enableShutdownHooks().listen(0);
  const record: Record<Side, (job: JobCompleted) => Promise<number>> = {
    left: (job) => app.get(LeftJobs).dataSinks.recordJobCompleted(job),
    right: (job) => app.get(RightJobs).dataSinks.recordJobCompleted(job),
  };
  onOrder((order) => record[order.tenant as Side](tenants[order.tenant as Side].finish(order)));
  console.log(`listening on ${await app.getUrl()}`);
}

void main();
