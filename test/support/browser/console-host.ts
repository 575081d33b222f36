import 'reflect-metadata';
import {
  Controller,
  Get,
  Headers,
  Module,
  type Type,
  UnauthorizedException,
  type VersioningOptions,
} from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import { type ConsoleOptions, consoleParts } from '../../../src/data-sinks/console/index.js';

export type Framework = 'Express' | 'Fastify';

export interface ConsoleHost {
  readonly url: string;
  close(): Promise<void>;
}

/** The least of an API: it lets in a cookie, as a host with a session of its own does, and counts who tried without our header. */
class CookieAgents {
  @Get()
  list(@Headers('cookie') cookie?: string, @Headers('x-data-sinks-console') ours?: string): object {
    if (cookie !== 'session=alice' || ours !== '1') throw new UnauthorizedException();
    return { items: [], nextCursor: null };
  }
}

/** Where a host has what it has. */
export interface HostAddresses {
  readonly prefix?: string;
  readonly versioning?: VersioningOptions;
  /** @default 'api/v1' */
  readonly apiPath?: string;
}

/** A host that has a console and little else. */
export async function startConsoleHost(
  framework: Framework,
  wanted: string | ConsoleOptions,
  { prefix, versioning, apiPath = 'api/v1' }: HostAddresses = {},
): Promise<ConsoleHost> {
  const { controllers, providers } = consoleParts(wanted, apiPath);
  class Agents extends CookieAgents {}
  Controller(`${apiPath}/agents`)(Agents);
  class ConsoleHostModule {}
  Module({ controllers: [...controllers, Agents as Type], providers: [...providers] })(ConsoleHostModule);
  const adapter = (framework === 'Express' ? new ExpressAdapter() : new FastifyAdapter()) as AbstractHttpAdapter;
  const app = await NestFactory.create(ConsoleHostModule, adapter, { logger: false });
  if (prefix !== undefined) app.setGlobalPrefix(prefix);
  if (versioning) app.enableVersioning(versioning);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}
