import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSinksHealth, DataSinksModule, JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { bullWakeup } from 'nestjs-data-sinks/bull';
import { verifyPush } from 'nestjs-data-sinks/receiver';
import { AGENT, environment, openDatabase, Tenant } from './tenant.js';

/** What a team writes beside its own host, and runs with its own Jest. */
const SECRET = 'a secret of 16 bytes or more';
const tenant = new Tenant('mt_jest');

let app: INestApplication;
let receiver: Server;
let pushed: Promise<{ readonly rawBody: Buffer; readonly headers: Record<string, string> }>;

beforeAll(async () => {
  const database = await openDatabase('DATABASE_URL');

  @Module({
    imports: [
      TypeOrmModule.forRootAsync({
        useFactory: () => ({ type: 'postgres' }),
        dataSourceFactory: () => Promise.resolve(database),
      }),
      EventEmitterModule.forRoot(),
      DataSinksModule.forRoot({
        ports: tenant.ports(),
        console: 'data-sinks',
        vaultKeys: environment('VAULT_KEYS'),
        allowPrivateEndpoints: ['127.0.0.0/8'],
      }),
    ],
  })
  class HostModule {}

  app = await NestFactory.create(HostModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  receiver = createServer();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  pushed = new Promise((resolve) =>
    receiver.on('request', (request, response) => {
      // The ping that is sent when a data source is saved.
      if (request.method === 'OPTIONS') return void response.end();
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        response.end();
        resolve({ rawBody: Buffer.concat(pieces), headers: request.headers as Record<string, string> });
      });
    }),
  );
}, 120_000);

afterAll(async () => {
  await app.close();
  receiver.close();
});

it('pushes what the host finishes, and verifies it with the receiver kit', async () => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const sink = { role: 'RESULTS_SINK', type: 'HTTPS_WEBHOOK', name: 'BI', format: 'JSON', secret: { value: SECRET } };
  const created = await fetch(`${await app.getUrl()}/api/v1/agents/${AGENT}/data-sources`, {
    method: 'POST',
    headers: { authorization: 'Bearer mt_jest', 'content-type': 'application/json' },
    body: JSON.stringify({ ...sink, config: { url, authScheme: 'HmacSha256' } }),
  });
  expect(created.status).toBe(201);
  app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, tenant.finish({ jobId: 'job_jest', rows: 2 }));
  const { rawBody, headers } = await pushed;
  expect(verifyPush({ rawBody, headers, secret: SECRET })).toMatchObject({ form: 'standard-webhooks' });
}, 60_000);

it('serves the console, and has what the module exports', async () => {
  expect((await fetch(`${await app.getUrl()}/data-sinks`)).status).toBe(200);
  expect(await app.get(DataSinksHealth).check()).toMatchObject({ database: 'up' });
  expect(bullWakeup({ url: 'redis://127.0.0.1:6379' }).imports).toHaveLength(2);
});
