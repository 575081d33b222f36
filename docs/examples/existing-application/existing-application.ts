import { Readable } from 'node:stream';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  Module,
  type NestInterceptor,
  SetMetadata,
  UnauthorizedException,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost, NestFactory, Reflector } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { SkipThrottle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import compression from 'compression';
import helmet from 'helmet';
import * as sinks from 'nestjs-data-sinks';
import { map, type Observable } from 'rxjs';

const { DATABASE_URL: url, VAULT_KEYS: vaultKeys, ALLOW_PRIVATE_ENDPOINTS: ranges, PORT = '3000' } = process.env;
const { dataSinksEntities: entities, dataSinksMigrations: migrations } = sinks;

// The application's own guards: a session for every route that is not public, and a limit for every client.
const Public = () => SetMetadata('isPublic', true);

@Injectable()
class SessionGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.reflector.getAllAndOverride('isPublic', [context.getHandler(), context.getClass()])) return true;
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    if (headers['cookie'] === 'session=alice') return true;
    throw new UnauthorizedException('Sign in first.');
  }
}

// Its envelope around every answer, and its filter for every error.
@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ success: true, data })));
  }
}

@Catch()
class EveryError implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), { success: false, status }, status);
  }
}

@Controller('hello')
class HelloController {
  @Get()
  hello(): string {
    return 'hello';
  }
}

// What the module asks its host, as in the minimal host.
const [workspaceId, agentId, jobId] = ['ws_1', 'agt_1', 'job_1'];
const agent = { id: agentId, workspaceId, active: true, ruleSet: { data_sinks: { auto_push_on_job_complete: true } } };
const job = { jobId, agentId, workspaceId, completedAt: new Date(), stats: { total: 1, matched: 1, unmatched: 0 } };
const row = { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: null };
const caller = { workspaceId, actor: { type: 'token', id: 'tok_1' }, scopes: new Set(sinks.SCOPES) };

class Agents implements sinks.AgentDirectory {
  findAgents = async (ids: readonly string[]) => (ids.includes(agentId) ? [agent] : []);
}
class Plans implements sinks.WorkspacePlans {
  findPlans = async () => new Map([[workspaceId, 'PRO_MAX']]);
}
class Jobs implements sinks.MappingResults {
  findCompletedJob = async (_workspaceId: string, id: string) => (id === jobId ? job : null);
  streamRows = async () => Readable.from([[row]]);
}
class Tokens implements sinks.WorkspaceAccess {
  authenticate = async (request: sinks.AccessRequest) =>
    request.headers['authorization'] === 'Bearer mt_demo' ? caller : null;
}
const ports = { agentDirectory: Agents, workspacePlans: Plans, mappingResults: Jobs, workspaceAccess: Tokens };

@Module({
  controllers: [HelloController],
  imports: [
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 3 }]),
    TypeOrmModule.forRoot({ type: 'postgres', url, entities, migrations, migrationsRun: true }),
    EventEmitterModule.forRoot(),
    sinks.DataSinksModule.forRoot({
      ports,
      vaultKeys,
      allowPrivateEndpoints: ranges?.split(','),
      // The prefix and the default version make /api/v1 of it.
      path: '',
      console: 'console',
      // The module asks for a token and counts requests by itself.
      decorators: [Public(), SkipThrottle()],
    }),
  ],
  providers: [
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_INTERCEPTOR, useClass: Envelope },
    { provide: APP_FILTER, useClass: EveryError },
  ],
})
class ApplicationModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(ApplicationModule);
  app.use(helmet(), compression({ threshold: 0 }));
  app.enableCors();
  app.setGlobalPrefix('api', { exclude: ['console', 'console/*path'] });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
  const transformOptions = { enableImplicitConversion: true };
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true, transformOptions }));
  await app.enableShutdownHooks().listen(PORT);
  console.log(`listening on ${await app.getUrl()}`);
}

void main();
