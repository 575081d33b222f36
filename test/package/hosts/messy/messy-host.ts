import { type INestApplication, type Type, VersioningType } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { DataSinks, JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { prepareDatabases } from './messy-database.js';
import { messyModule, tidyModule } from './messy-module.js';
import { EveryEvent } from './messy-habits.js';
import { finish, type JobOrder, seenByWorker } from './messy-ports.js';

/** `messy`: all of it. `own`: the same without the module. `tidy`: the module alone. */
export type Kind = 'messy' | 'own' | 'tidy';

/** How a framework makes an application, and what the host's `main.ts` sets up there before it listens. */
export interface Framework {
  readonly create: (module: Type) => Promise<INestApplication>;
  readonly setUp: (app: INestApplication) => Promise<void>;
}

export async function startMessyHost(kind: Kind, { create, setUp }: Framework): Promise<INestApplication> {
  if (kind === 'tidy') {
    const tidy = await create(tidyModule());
    await tidy.enableShutdownHooks().listen(0, '127.0.0.1');
    return tidy;
  }
  await prepareDatabases(kind === 'messy');
  const app = await create(messyModule(kind === 'messy'));
  await setUp(app);
  app.enableCors({ origin: 'https://app.platform.example', credentials: true });
  app.setGlobalPrefix('backend', { exclude: ['health', 'console', 'console/*path'] });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
  const document = new DocumentBuilder().setTitle('Platform').addBearerAuth().build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, document));
  await app.enableShutdownHooks().listen(0, '127.0.0.1');
  return app;
}

/** As a process of its own, for the tests. */
export async function runMessyHost(framework: Framework): Promise<void> {
  const kind = (process.env['KIND'] ?? 'messy') as Kind;
  const app = await startMessyHost(kind, framework);
  const tell = (): void => {
    const spans = (globalThis as { finishedSpans?: () => unknown }).finishedSpans?.() ?? [];
    const events = kind === 'tidy' ? 0 : app.get(EveryEvent, { strict: false }).count;
    console.log(`report ${JSON.stringify({ seenByWorker, events, spans })}`);
  };
  process.on(
    'message',
    (order: JobOrder | { readonly op: 'report' } | { readonly op: 'erase'; readonly jobId: string }) => {
      if (!('op' in order)) app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, finish(order));
      else if (order.op === 'report') tell();
      else void app.get(DataSinks).erasePayloads({ workspaceId: 'ws_pro', jobId: order.jobId });
    },
  );
  console.log(`listening on ${await app.getUrl()}`);
}
