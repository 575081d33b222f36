import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  ClassSerializerInterceptor,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  type ModuleMetadata,
  type NestInterceptor,
  type PipeTransform,
  RequestTimeoutException,
  Scope,
  ValidationPipe,
  type ValidationPipeOptions,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, HttpAdapterHost, Reflector } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { FastifyInstance } from 'fastify';
import { catchError, concat, map, type Observable, of, throwError } from 'rxjs';
import type { Framework, GuestHostRequest } from './guest-host.js';

/** Something that a real backend has for all of its routes. */
export interface Habit extends Pick<GuestHostRequest, 'host' | 'configure'> {
  readonly name: string;
  /** @default both */
  readonly only?: Framework;
  /** What comes before `/api/v1` because of it. @default nothing */
  readonly prefix?: string;
}

const pipe = (options: ValidationPipeOptions): Habit => ({
  name: `a global ValidationPipe ${JSON.stringify(options)}`,
  configure: (app) => app.useGlobalPipes(new ValidationPipe(options)),
});

const intercepting = (name: string, intercept: NestInterceptor['intercept']): Habit => ({
  name,
  configure: (app) => app.useGlobalInterceptors({ intercept }),
});

@Catch()
class CatchEverything implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const body = { ok: false, error: String(exception) };
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), body, 200);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ success: true, data })));
  }
}

@Injectable()
class Texts implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'object' ? JSON.stringify(value) : value;
  }
}

const provided = (...providers: NonNullable<ModuleMetadata['providers']>): ModuleMetadata => ({ providers });

const express = (name: string, configure: (app: NestExpressApplication) => unknown): Habit => ({
  name,
  only: 'Express',
  configure: (app) => configure(app as NestExpressApplication),
});

const onFastify = (name: string, configure: (fastify: FastifyInstance) => unknown): Habit => ({
  name,
  only: 'Fastify',
  configure: (app: INestApplication) => configure(app.getHttpAdapter().getInstance() as FastifyInstance),
});

export const HABITS: readonly Habit[] = [
  pipe({}),
  pipe({ whitelist: true }),
  pipe({ transform: true }),
  pipe({ transform: true, transformOptions: { enableImplicitConversion: true } }),
  pipe({ whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true, validateCustomDecorators: true }),
  pipe({ disableErrorMessages: true, errorHttpStatusCode: 418, stopAtFirstError: true, skipMissingProperties: true }),
  { name: 'an APP_PIPE that makes texts of all objects', host: provided({ provide: APP_PIPE, useClass: Texts }) },
  {
    name: 'a pipe that refuses everything',
    configure: (app) =>
      app.useGlobalPipes({
        transform: () => {
          throw new Error('not here');
        },
      }),
  },
  {
    name: 'a wrapping APP_INTERCEPTOR for each request',
    host: provided({ provide: APP_INTERCEPTOR, useClass: Envelope }),
  },
  intercepting('an interceptor that renames nulls', (_context, next) =>
    next.handle().pipe(map((data: unknown) => data ?? 'nothing')),
  ),
  intercepting('an interceptor that answers from its cache', () => of({ cached: true })),
  intercepting('an interceptor that answers twice', (_context, next) => concat(of(1), next.handle())),
  intercepting('an interceptor whose time is up', () => throwError(() => new RequestTimeoutException())),
  intercepting('an interceptor that makes successes of errors', (_context, next) =>
    next.handle().pipe(catchError(() => of({ ok: true }))),
  ),
  intercepting('an interceptor that sets headers and a status', (context, next) => {
    const response: { status(code: number): { header(name: string, value: string): void } } = context
      .switchToHttp()
      .getResponse();
    response.status(299).header('Cache-Control', 'public');
    return next.handle();
  }),
  {
    name: 'a ClassSerializerInterceptor',
    configure: (app) =>
      app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector), { strategy: 'excludeAll' })),
  },
  { name: 'an APP_FILTER that catches all', host: provided({ provide: APP_FILTER, useClass: CatchEverything }) },
  {
    name: 'a global filter that catches all',
    configure: (app) => app.useGlobalFilters(new CatchEverything(app.get(HttpAdapterHost))),
  },
  { name: 'a prefix', prefix: '/backend', configure: (app) => app.setGlobalPrefix('backend') },
  {
    name: 'a prefix with exceptions',
    configure: (app) => app.setGlobalPrefix('backend', { exclude: ['api/v1/*path'] }),
  },
  {
    name: 'URI versions with a default',
    prefix: '/v3',
    configure: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '3' }),
  },
  {
    name: 'versions in a header, with a default',
    configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version', defaultVersion: '3' }),
  },
  {
    name: 'versions in the media type, with a default',
    configure: (app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=', defaultVersion: '3' }),
  },
  express('parsers that take ten bytes', (app) => {
    app.useBodyParser('json', { limit: 10, strict: true });
    app.useBodyParser('urlencoded', { limit: 10, extended: true });
  }),
  express('indented JSON, no ETags, another query parser', (app) => {
    app.set('json spaces', 2).set('etag', false).set('query parser', 'extended');
  }),
  express('strict routes whose case matters', (app) => app.enable('strict routing').enable('case sensitive routing')),
  express('middleware that cleans bodies and sets security headers', (app) => {
    app.use((request: { body?: object }, response: { set(headers: object): void }, next: () => void) => {
      if (request.body)
        for (const name of Object.keys(request.body)) delete (request.body as Record<string, unknown>)[name];
      response.set({
        'Content-Security-Policy': "script-src 'self'",
        'Referrer-Policy': 'origin',
        'Cache-Control': 'public',
      });
      next();
    });
  }),
  express('middleware that wraps res.json and res.send', (app) => {
    app.use((_request: unknown, response: Record<'json' | 'send', (body: unknown) => unknown>, next: () => void) => {
      for (const name of ['json', 'send'] as const) {
        const send = response[name].bind(response);
        response[name] = (body) => send({ wrapped: body });
      }
      next();
    });
  }),
  onFastify('serializers and a hook that wrap what is sent', (fastify) => {
    fastify.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }));
    fastify.addHook('preSerialization', async (_request, _reply, payload) => ({ wrapped: payload }));
  }),
  onFastify('an error handler of its own, and a hook that sets security headers', (fastify) => {
    fastify.setErrorHandler((error, _request, reply) => reply.code(200).send({ error: String(error) }));
    fastify.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'Content-Security-Policy': "script-src 'self'", 'Cache-Control': 'public' });
    });
  }),
  onFastify('a hook that cleans bodies', (fastify) => {
    fastify.addHook('preValidation', async ({ body }) => {
      if (typeof body === 'object' && body !== null)
        for (const name of Object.keys(body)) delete (body as Record<string, unknown>)[name];
    });
  }),
  onFastify('a hook that packs what is sent', (fastify) => {
    fastify.addHook('onSend', async (_request, reply, payload) => {
      if (typeof payload !== 'object' || payload === null || Buffer.isBuffer(payload)) return payload;
      reply.header('Content-Encoding', 'gzip').removeHeader('Content-Length');
      return 'packed';
    });
  }),
];
