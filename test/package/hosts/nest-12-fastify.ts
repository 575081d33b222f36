import { Body, Controller, Module, Post, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSinksEntities, dataSinksMigrations, DataSinksModule, JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { environment, onOrder, Tenant } from './tenant.js';

/** The host's own endpoint, with a form: the module leaves it alone. */
@Controller('deliveries-of-food')
class FormController {
  @Post()
  order(@Body() form: unknown): unknown {
    return form;
  }
}

const tenant = new Tenant('mt_fastify');

@Module({
  imports: [
    // Entities come from the modules that use them: the host's own, and the module's.
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: environment('DATABASE_URL'),
      autoLoadEntities: true,
      migrations: dataSinksMigrations,
      migrationsRun: true,
    }),
    TypeOrmModule.forFeature(dataSinksEntities),
    EventEmitterModule.forRoot(),
    DataSinksModule.forRoot({
      ports: tenant.ports(),
      path: '',
      vaultKeys: environment('VAULT_KEYS'),
      allowPrivateEndpoints: ['127.0.0.0/8'],
    }),
  ],
  controllers: [FormController],
})
class HostModule {}

const app = await NestFactory.create<NestFastifyApplication>(HostModule, new FastifyAdapter());
app.setGlobalPrefix('platform');
app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
await app.enableShutdownHooks().listen(0);
onOrder((order) => app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, tenant.finish(order)));
console.log(`listening on ${await app.getUrl()}`);
