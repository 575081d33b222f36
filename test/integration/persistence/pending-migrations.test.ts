import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  DataSinksHealth,
  dataSinksMigrations,
  DataSinksModule,
  type DataSinksPorts,
} from '../../../src/data-sinks/index.js';
import { CollectingLogger } from '../../support/platform/collecting-logger.js';
import { openUnmigrated } from './unmigrated.js';

class Port {}
const ports = {
  agentDirectory: Port,
  workspacePlans: Port,
  mappingResults: Port,
  workspaceAccess: Port,
  secretVault: Port,
} as unknown as DataSinksPorts;

let database: DataSource;

beforeAll(async () => {
  database = await openUnmigrated();
});
afterAll(() => database.destroy());

async function boot(logs: CollectingLogger) {
  class DatabaseModule {}
  const provider = { provide: getDataSourceToken(), useValue: database };
  Module({ providers: [provider], exports: [provider] })(DatabaseModule);
  Global()(DatabaseModule);
  class HostModule {}
  Module({ imports: [DatabaseModule, DataSinksModule.forRoot({ ports, worker: false })] })(HostModule);
  const app = await NestFactory.create(HostModule, { logger: logs, abortOnError: false });
  return app.init();
}

describe('a host without the module’s migrations', () => {
  it('is warned at its boot, and by the module’s health, with the database up', async () => {
    const logs = new CollectingLogger();
    const app = await boot(logs);
    const names = dataSinksMigrations.map((migration) => new migration().name);
    expect(await app.get(DataSinksHealth).check()).toMatchObject({
      ...{ status: 'down', database: 'up', redis: null, oldestDueAgeMs: null, workers: null },
      reasons: [{ kind: 'migrations' }],
      migrationsPending: names,
      error: null,
    });
    expect(await logs.line(/^error .*"event":"migrations.pending"/)).toContain(
      JSON.stringify({ pending: names }).slice(1, -1),
    );
    await app.close();
    expect(logs.lines.filter((line) => line.includes('migrations.pending'))).toHaveLength(1);
  });

  it('is not warned after they ran', async () => {
    await database.runMigrations();
    const logs = new CollectingLogger();
    const app = await boot(logs);
    expect(await app.get(DataSinksHealth).check()).toMatchObject({
      // This process answers the API alone, and no other one works.
      ...{ status: 'degraded', reasons: [{ kind: 'workers' }], migrationsPending: [] },
    });
    await app.close();
    expect(logs.lines.filter((line) => line.includes('migrations.pending'))).toEqual([]);
  });
});
