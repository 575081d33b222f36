import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Post,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import type { DataSource } from 'typeorm';
import {
  ConfigurationError,
  DataSinksModule,
  dataSinksEntities,
  dataSinksMigrations,
} from '../../../src/data-sinks/index.js';
import { TOKEN } from '../../support/guest/ask.js';
import {
  AGENT,
  type Framework,
  type GuestHost,
  type GuestHostRequest,
  startGuestHost,
} from '../../support/guest/guest-host.js';
import { openMigratedPglite } from '../../support/pglite-template.js';
import { until } from '../../support/platform/until.js';

const SINKS = `/api/v1/agents/${AGENT}/data-sources`;
const PROBLEM = 'application/problem+json';

let database: DataSource;
let host: GuestHost | null = null;

beforeAll(async () => {
  database = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
}, 300_000);
afterAll(() => database?.destroy());
afterEach(async () => {
  await host?.close();
  host = null;
});

async function start(
  framework: Framework,
  more: Omit<GuestHostRequest, 'framework' | 'database'> = {},
): Promise<GuestHost> {
  host = await startGuestHost({
    framework,
    database,
    ...more,
    module: { worker: false, console: 'console', ...more.module },
  });
  return host;
}

@Controller('shop/api/v1/deliveries')
class Couriers {
  @Post('import')
  take(@Body() body: unknown): unknown {
    return { own: body };
  }
}

@Controller('api/v1/deliveries')
class HostsDeliveries {
  @Post()
  make(@Body() body: unknown): unknown {
    return { own: body };
  }

  @Get('mine/of/the/host')
  list(): unknown {
    return { own: true };
  }
}

/** As a host has it: everything needs a session but what is public. */
const Public = (): ClassDecorator => SetMetadata('isPublic', true);

@Injectable()
class SessionGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.reflector.getAllAndOverride('isPublic', [context.getHandler(), context.getClass()])) return true;
    throw new UnauthorizedException('Sign in first.');
  }
}

const refusing = (refusal: () => Error): NonNullable<GuestHostRequest['host']> => ({
  providers: [
    {
      provide: APP_GUARD,
      useValue: {
        canActivate: () => {
          throw refusal();
        },
      },
    },
  ],
});

describe.each<[Framework]>([['Express'], ['Fastify']])('on %s', (framework) => {
  it('the host’s own routes are not affected, even if their paths look like ours', async () => {
    const own = await start(framework, { host: { controllers: [Couriers, HostsDeliveries] } });
    const large = JSON.stringify({ text: 'y'.repeat(70_000) });
    for (const path of ['/shop/api/v1/deliveries/import', '/api/v1/deliveries']) {
      const answer = await own.ask({ method: 'POST', path, body: large });
      expect([path, answer.status, answer.text]).toEqual([path, 201, `{"own":${large}}`]);
      expect(answer.headers['content-security-policy']).toBeUndefined();
      expect(answer.headers['cache-control']).toBeUndefined();
    }
    expect((await own.ask({ path: '/api/v1/deliveries/mine/of/the/host' })).text).toBe('{"own":true}');
  });

  it('an exception of a guard keeps its status and text, as a problem', async () => {
    for (const refusal of [
      new UnauthorizedException('Sign in first.'),
      new ForbiddenException('Not from here.'),
      new HttpException('Pay first.', 402),
      new HttpException('Too many of these.', 429),
      new HttpException('I do not brew.', 418),
      new HttpException('Down for an hour.', 503),
    ]) {
      const own = await start(framework, { host: refusing(() => refusal) });
      const { status, headers, text } = await own.ask({ path: SINKS });
      expect([status, headers['content-type']]).toEqual([refusal.getStatus(), PROBLEM]);
      expect(JSON.parse(text)).toMatchObject({ type: 'about:blank', status, detail: refusal.message });
      await own.close();
      host = null;
    }
  });

  it('guards run first: a bad body is reported after them', async () => {
    const own = await start(framework, { host: { providers: [{ provide: APP_GUARD, useClass: SessionGuard }] } });
    for (const path of [SINKS, '/console', '/console/assets/x.js']) expect((await own.ask({ path })).status).toBe(401);
    expect((await own.ask({ method: 'POST', path: SINKS, body: '{' })).status).toBe(401);
    const { text, headers } = await own.ask({ path: '/console' });
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toContain('401: Sign in first.');
    expect(text).toContain('decorators: [Public()]');
  });

  it('the option "decorators" exempts the API and the console from the host’s guards', async () => {
    const own = await start(framework, {
      host: { controllers: [Couriers], providers: [{ provide: APP_GUARD, useClass: SessionGuard }] },
      module: { decorators: [Public()] },
    });
    expect(await own.ask({ path: SINKS })).toMatchObject({ status: 200 });
    expect((await own.ask({ path: SINKS, headers: { Authorization: 'Bearer mt_wrong' } })).status).toBe(401);
    expect((await own.ask({ path: '/console' })).status).not.toBe(401);
    expect((await own.ask({ method: 'POST', path: '/shop/api/v1/deliveries/import', body: '{}' })).status).toBe(401);
  });

  it('a body that does not end is refused after the deadline, and the connection closed', async () => {
    const own = await start(framework);
    const socket = connect(Number(new URL(own.origin).port), '127.0.0.1');
    let received = '';
    let closed = false;
    socket.on('data', (data) => (received += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    const head = `POST ${SINKS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 10\r\n\r\n{`;
    socket.write(head);
    await until(() => received.startsWith('HTTP/1.1 400'), 'it is refused', 45_000);
    expect(received).toContain('was not complete after');
    await until(() => closed, 'the connection is closed');
  });
});

describe('on Express', () => {
  it('our routes match every spelling that the host’s router accepts', async () => {
    const own = await start('Express');
    const spelt = await own.ask({ method: 'POST', path: `${SINKS.toUpperCase()}/`, body: ' '.repeat(70_000) });
    expect([spelt.status, spelt.headers['content-type']]).toEqual([413, PROBLEM]);
  });
});

describe('decorators', () => {
  it.each([[Public], 'Public', [null]])('that are %p stop the boot', (given) => {
    const decorators = given === undefined ? [] : (given as never);
    const forRoot = (): unknown => DataSinksModule.forRoot({ ports: {} as never, decorators });
    expect(forRoot).toThrow(ConfigurationError);
  });
});

interface TracedLayer {
  handle: (...of: unknown[]) => unknown;
  handleRequest: (...of: unknown[]) => unknown;
}

it('on Express, tracing that puts itself around each middleware makes no span of ours in the host’s requests', async () => {
  const spans: string[] = [];
  const traced = express();
  const use = traced.use.bind(traced) as (...handlers: unknown[]) => unknown;
  // As @opentelemetry/instrumentation-express does it, and on the prototype as @opentelemetry/instrumentation-router does.
  traced.use = ((...handlers: unknown[]) => {
    use(...handlers);
    const layer = traced.router.stack.at(-1) as unknown as TracedLayer;
    const { handle } = layer;
    layer.handle = (...of) => {
      spans.push(`handler ${handle.name}`);
      return handle(...of);
    };
    return traced;
  }) as typeof traced.use;
  traced.use((_request, _response, next) => next());
  const prototype = Object.getPrototypeOf(traced.router.stack[0]) as TracedLayer;
  const { handleRequest } = prototype;
  prototype.handleRequest = function (this: object, ...of) {
    spans.push('layer');
    return handleRequest.apply(this, of);
  };
  const adapter = (): ExpressAdapter => new ExpressAdapter(traced);
  try {
    host = await startGuestHost({ framework: 'Express', database, adapter, host: { controllers: [Couriers] } });
    spans.length = 0;
    expect((await host.ask({ method: 'POST', path: '/shop/api/v1/deliveries/import', body: '{}' })).status).toBe(201);
  } finally {
    prototype.handleRequest = handleRequest;
  }
  // This test's and Nest's own, which have no names; the route is two layers.
  const middleware = ['', '', 'jsonParser', 'urlencodedParser'].flatMap((name) => ['layer', `handler ${name}`]);
  expect(spans).toEqual([...middleware, 'layer', 'layer']);
});
