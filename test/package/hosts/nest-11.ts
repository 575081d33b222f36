import { BullModule } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSinks, DataSinksModule } from 'nestjs-data-sinks';
import { bullWakeup } from 'nestjs-data-sinks/bull';
import { DataSource } from 'typeorm';
import { environment, onOrder, openDatabase, Tenant } from './tenant.js';

async function main(): Promise<void> {
  const tenant = new Tenant('mt_nest_11');
  const database = await openDatabase('DATABASE_URL');

  @Module({
    imports: [
      TypeOrmModule.forRootAsync({
        useFactory: () => ({ type: 'postgres' }),
        dataSourceFactory: () => Promise.resolve(database),
      }),
      // The host's own Bull, beside which the module has one of its own.
      BullModule.forRoot({ url: environment('REDIS_URL') }),
      DataSinksModule.forRoot({
        ports: tenant.ports(),
        wakeup: bullWakeup({ url: environment('REDIS_URL'), prefix: environment('REDIS_PREFIX') }),
        vaultKeys: environment('VAULT_KEYS'),
        allowPrivateEndpoints: ['127.0.0.0/8'],
      }),
    ],
  })
  class HostModule {}

  const app = await NestFactory.create(HostModule);
  await app.enableShutdownHooks().listen(0);
  // Without an emitter: the deliveries are committed with the host's own transaction.
  onOrder((order) =>
    app.get(DataSource).transaction((manager) => app.get(DataSinks).recordJobCompleted(tenant.finish(order), manager)),
  );
  console.log(`listening on ${await app.getUrl()}`);
}

void main();
