import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Injectable,
  Module,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  type AccessRequest,
  type Caller,
  DataSinksModule,
  type DataSinksOptions,
  JOB_COMPLETED_EVENT,
  WorkspaceAccess,
} from 'nestjs-data-sinks';
import { CALLER, environment, onOrder, openDatabase, Tenant } from './tenant.js';

interface HostRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  caller?: Caller;
}

/** The host's own services, which its ports and its guard are injected with. */
@Injectable()
class Sessions {
  find(cookie: unknown): Caller | null {
    return cookie === 'session=abc' ? CALLER : null;
  }
}

@Injectable()
class HostSettings {
  readonly dataSinks: DataSinksOptions = {
    vaultKeys: environment('VAULT_KEYS'),
    allowPrivateEndpoints: ['127.0.0.0/8'],
  };
}

@Module({ providers: [Sessions, HostSettings], exports: [Sessions, HostSettings] })
class PlatformModule {}

/** The host's own guard, before everything, ours included. */
@Injectable()
class SessionGuard implements CanActivate {
  constructor(private readonly sessions: Sessions) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<HostRequest>();
    const caller = this.sessions.find(request.headers['cookie']);
    if (!caller) throw new UnauthorizedException('Sign in first.');
    request.caller = caller;
    return true;
  }
}

/** Believes the host's guard. */
@Injectable()
class GuardedAccess extends WorkspaceAccess {
  override async authenticate({ raw }: AccessRequest): Promise<Caller | null> {
    return (raw as HostRequest).caller ?? null;
  }
}

/** The host's own endpoint, with a form: the module leaves it alone. */
@Controller('deliveries-of-food')
class FormController {
  @Post()
  order(@Body() form: unknown): unknown {
    return form;
  }
}

const tenant = new Tenant('unused');
const database = await openDatabase('DATABASE_URL');

@Module({
  imports: [
    PlatformModule,
    TypeOrmModule.forRootAsync({
      useFactory: () => ({ type: 'postgres' }),
      dataSourceFactory: () => Promise.resolve(database),
    }),
    EventEmitterModule.forRoot({ wildcard: true, delimiter: '.' }),
    DataSinksModule.forRootAsync({
      imports: [PlatformModule],
      ports: { ...tenant.ports(), workspaceAccess: GuardedAccess },
      inject: [HostSettings],
      useFactory: ({ dataSinks }: HostSettings) => dataSinks,
    }),
  ],
  controllers: [FormController],
  providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
})
class HostModule {}

const app = await NestFactory.create(HostModule);
await app.enableShutdownHooks().listen(0);
onOrder((order) => app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, tenant.finish(order)));
console.log(`listening on ${await app.getUrl()}`);
