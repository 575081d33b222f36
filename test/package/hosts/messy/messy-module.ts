import { BullModule } from '@nestjs/bull';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { JwtModule } from '@nestjs/jwt';
import { SkipThrottle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ClsModule } from 'nestjs-cls';
import { dataSinksEntities, dataSinksMigrations, DataSinksModule } from 'nestjs-data-sinks';
import { bullWakeup } from 'nestjs-data-sinks/bull';
import { databaseOf, Hotel } from './messy-database.js';
import { environment } from './messy-environment.js';
import { Envelope, EveryError, EveryEvent, JwtGuard, Public, STRICT_PIPE } from './messy-habits.js';
import { ports } from './messy-ports.js';
import {
  HotelsController,
  JobsController,
  LookalikesController,
  MailProcessor,
  MailsController,
  OthersController,
} from './messy-routes.js';

/** What all hosts say alike to the module: `path` comes after prefix and version. */
function dataSinks(own: Pick<Parameters<typeof DataSinksModule.forRoot>[0], 'path' | 'decorators'>): DynamicModule {
  return DataSinksModule.forRoot({
    ...own,
    ports,
    console: 'console',
    vaultKeys: environment('VAULT_KEYS'),
    allowPrivateEndpoints: ['127.0.0.0/8'],
    // PgBouncer of Debian 12 knows no prepared statements.
    preparedStatements: false,
    wakeup: bullWakeup({ url: environment('REDIS_URL'), prefix: environment('REDIS_PREFIX') }),
    pollMs: 20_000,
    sinksPerAgent: 2,
    recoverAtMost: 3,
    pauseAfter: 1_000,
    disableAfter: 1_000,
  });
}

/** Everything that a host may have at once, and the module, or not. */
export function messyModule(withDataSinks: boolean): Type {
  @Module({
    controllers: [HotelsController, LookalikesController, JobsController, MailsController, OthersController],
    imports: [
      JwtModule.register({ secret: 'the host’s own secret', global: true }),
      ThrottlerModule.forRoot([{ ttl: 60_000, limit: 12 }]),
      ClsModule.forRoot({
        global: true,
        middleware: {
          mount: true,
          generateId: true,
          setup: (cls, request: { originalUrl?: string; url?: string }) =>
            cls.set('path', request.originalUrl ?? request.url),
        },
      }),
      TypeOrmModule.forRoot(databaseOf({ withDataSinks })),
      TypeOrmModule.forFeature([Hotel]),
      EventEmitterModule.forRoot({ wildcard: true, delimiter: '.', maxListeners: 5, verboseMemoryLeak: true }),
      BullModule.forRoot({
        url: environment('REDIS_URL'),
        prefix: `${environment('REDIS_PREFIX')}-own`,
        defaultJobOptions: { delay: 1_500, attempts: 2, removeOnComplete: true },
        limiter: { max: 1, duration: 250 },
      }),
      BullModule.registerQueue({ name: 'mails' }),
      ...(withDataSinks ? [dataSinks({ path: '', decorators: [Public(), SkipThrottle()] })] : []),
    ],
    providers: [
      EveryEvent,
      MailProcessor,
      { provide: APP_GUARD, useClass: ThrottlerGuard },
      { provide: APP_GUARD, useClass: JwtGuard },
      { provide: APP_INTERCEPTOR, useClass: Envelope },
      { provide: APP_FILTER, useClass: EveryError },
      { provide: APP_PIPE, useValue: STRICT_PIPE },
    ],
  })
  class MessyModule {}
  return MessyModule;
}

/** The least that the module needs. */
export function tidyModule(): Type {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: environment('TIDY_URL'),
        entities: dataSinksEntities,
        migrations: dataSinksMigrations,
        migrationsRun: true,
      }),
      ClsModule.forRoot({ global: true }),
      EventEmitterModule.forRoot(),
      dataSinks({}),
    ],
  })
  class TidyModule {}
  return TidyModule;
}
