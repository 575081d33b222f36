import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { DataSinksModule, JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { environment, onOrder, openDatabase, Tenant } from './tenant.js';

/** Whoever is signed in goes along to the host's own services. */
const BAGGAGE = propagation.createBaggage({ user: { value: 'somebody@platform.example' } });

async function main(): Promise<void> {
  const tenant = new Tenant('mt_traced');
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
        vaultKeys: environment('VAULT_KEYS'),
        allowPrivateEndpoints: ['127.0.0.0/8'],
      }),
    ],
  })
  class HostModule {
    onApplicationShutdown(): void {
      (globalThis as { tellSpans?: () => void }).tellSpans?.();
    }
  }

  const app = await NestFactory.create(HostModule);
  app.use((_request: unknown, _response: unknown, next: () => void) =>
    context.with(propagation.setBaggage(context.active(), BAGGAGE), next),
  );
  await app.enableShutdownHooks().listen(0);
  onOrder((order) => {
    const span = trace.getTracer('host').startSpan('finishes a job');
    context.with(trace.setSpan(propagation.setBaggage(ROOT_CONTEXT, BAGGAGE), span), () =>
      app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, tenant.finish(order)),
    );
    span.end();
  });
  console.log(`own call ${await ownCall()}`);
  console.log(`listening on ${await app.getUrl()}`);
}

/** What the module keeps from its own requests, it keeps from no other. @returns the headers of one of the host's */
async function ownCall(): Promise<string> {
  const server = http.createServer((request, response) => response.end(JSON.stringify(request.headers)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const active = propagation.setBaggage(ROOT_CONTEXT, BAGGAGE);
  const answer = await context.with(active, () => fetch(`http://127.0.0.1:${port}/`));
  const headers = await answer.text();
  server.close();
  return headers;
}

void main();
