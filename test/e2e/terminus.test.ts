import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { DataSinksHealth } from 'nestjs-data-sinks';
import { DataSinksIndicator } from '../../docs/examples/terminus/data-sinks.indicator.js';
import { DataSinksHealth as Health } from '../../src/data-sinks/index.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();
let app: INestApplicationContext;
const standing = { isAway: false };

beforeAll(async () => {
  const away = {
    status: 'down',
    database: 'down',
    redis: null,
    oldestDueAgeMs: null,
    migrationsPending: null,
    error: 'gone',
  };
  // The example is a host's: it knows the module by its package, as it was built.
  const check = async () => (standing.isAway ? away : platform().app.get(Health).check());
  class HostModule {}
  Module({
    imports: [TerminusModule.forRoot({ logger: false })],
    providers: [{ provide: DataSinksHealth, useValue: { check } }, DataSinksIndicator],
  })(HostModule);
  app = await NestFactory.createApplicationContext(HostModule, { logger: false });
});
afterAll(() => app.close());

const check = () => app.get(HealthCheckService).check([() => app.get(DataSinksIndicator).isHealthy()]);

describe('the Terminus indicator of docs/operations.md', () => {
  it('is the one in docs/examples', () => {
    const example = readFileSync('docs/examples/terminus/data-sinks.indicator.ts', 'utf8');
    expect(readFileSync('docs/operations.md', 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\``);
  });

  it('reports that the module is up, with details', async () => {
    // Its connection to Redis may be a moment late.
    const ready = async () => (await platform().app.get(Health).check()).status === 'up';
    await until(ready, 'all parts of the module are there');
    expect(await check()).toMatchObject({
      status: 'ok',
      details: { dataSinks: { status: 'up', overall: 'up', database: 'up', migrationsPending: [] } },
    });
  });

  it('reports that it is down', async () => {
    standing.isAway = true;
    await expect(check()).rejects.toMatchObject({
      response: { status: 'error', error: { dataSinks: { status: 'down', overall: 'down', database: 'down' } } },
    });
  });
});
