import 'reflect-metadata';
import { Controller, Get, Headers, Module, UnauthorizedException, type VersioningOptions } from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import { OurProblemFilter } from '../../../src/data-sinks/api/http/problem.filter.js';
import { type ConsoleOptions, consoleParts } from '../../../src/console/index.js';
import { mountedAt } from '../../../src/data-sinks/routes/mounted-controller.js';
import { MountedRoutes } from '../../../src/data-sinks/routes/mounted-routes.js';

export type Framework = 'Express' | 'Fastify';

export interface ConsoleHost {
  readonly url: string;
  close(): Promise<void>;
}

/** A minimal API: accepts a cookie, like a host with its own session, and counts calls without our header. */
@Controller('agents')
class CookieAgents {
  @Get()
  list(@Headers('cookie') cookie?: string, @Headers('x-data-sinks-console') ours?: string): object {
    if (cookie !== 'session=alice' || ours !== '1') throw new UnauthorizedException();
    return { items: [], nextCursor: null };
  }
}

const OFFERED = Symbol('types of sinks');

/** How the host has mounted them, and what it offers. */
export interface HostSetting {
  readonly prefix?: string;
  readonly versioning?: VersioningOptions;
  /** @default 'api/v1' */
  readonly apiPath?: string;
  /** Of sinks. @default endpoints alone */
  readonly types?: readonly string[];
}

/** A host with a console and little else. */
export async function startConsoleHost(
  framework: Framework,
  wanted: string | ConsoleOptions,
  { prefix, versioning, apiPath = 'api/v1', types = ['HTTPS_WEBHOOK'] }: HostSetting = {},
): Promise<ConsoleHost> {
  const mount = {};
  const { controllers, providers } = consoleParts(wanted, apiPath, { mount, decorators: [] }, OFFERED);
  const ours = { guards: [], filter: OurProblemFilter, pipe: null, headers: {} };
  const agents = mountedAt({ mount, part: 'api', path: apiPath, decorators: [], ...ours }, CookieAgents);
  const routes = {
    provide: MountedRoutes,
    inject: [HttpAdapterHost],
    useFactory: (adapterHost: HttpAdapterHost) => new MountedRoutes(adapterHost, mount),
  };
  class ConsoleHostModule {}
  Module({
    controllers: [...controllers, agents],
    providers: [routes, { provide: OFFERED, useValue: { types } }, ...providers],
  })(ConsoleHostModule);
  const adapter = (framework === 'Express' ? new ExpressAdapter() : new FastifyAdapter()) as AbstractHttpAdapter;
  const app = await NestFactory.create(ConsoleHostModule, adapter, { logger: false });
  if (prefix !== undefined) app.setGlobalPrefix(prefix);
  if (versioning) app.enableVersioning(versioning);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}
