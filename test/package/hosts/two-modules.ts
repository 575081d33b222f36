import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSinks, DataSinksModule, type DataSinksStructure, type JobCompleted } from 'nestjs-data-sinks';
import type { DataSource } from 'typeorm';
import { environment, onOrder, openDatabase, Tenant } from './tenant.js';

const SIDES = ['left', 'right'] as const;
export type Side = (typeof SIDES)[number];

/** The same workspace and agent on both sides: what keeps them apart is the module alone. */
const tenants: Record<Side, Tenant> = { left: new Tenant('mt_left'), right: new Tenant('mt_right') };
const paths: Record<Side, string> = { left: '/left/api/', right: 'right' };

@Injectable()
class LeftJobs {
  constructor(readonly dataSinks: DataSinks) {}
}

@Injectable()
class RightJobs {
  constructor(readonly dataSinks: DataSinks) {}
}

/** A host with the module twice. */
export async function startTwoModules(wakeupOf: (side: Side) => Pick<DataSinksStructure, 'wakeup'>): Promise<void> {
  const sinksOf = (side: Side) =>
    DataSinksModule.forRoot({
      ...wakeupOf(side),
      ports: tenants[side].ports(),
      dataSourceName: side,
      path: paths[side],
      isGlobal: false,
      vaultKeys: environment(`${side.toUpperCase()}_VAULT_KEYS`),
      workerId: `worker-${side}`,
      allowPrivateEndpoints: ['127.0.0.0/8'],
    });

  @Module({ imports: [sinksOf('left')], providers: [LeftJobs] })
  class LeftModule {}

  @Module({ imports: [sinksOf('right')], providers: [RightJobs] })
  class RightModule {}

  const databases: Record<Side, DataSource> = {
    left: await openDatabase('LEFT_DATABASE_URL'),
    right: await openDatabase('RIGHT_DATABASE_URL'),
  };
  const databaseModules = SIDES.map((name) =>
    TypeOrmModule.forRootAsync({
      name,
      useFactory: () => ({ type: 'postgres', name }),
      dataSourceFactory: () => Promise.resolve(databases[name]),
    }),
  );

  @Module({ imports: [...databaseModules, LeftModule, RightModule] })
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
