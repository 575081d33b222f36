import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Framework, runMessyHost } from './messy-host.js';

const fastify: Framework = {
  create: (module) =>
    NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter({ trustProxy: true, bodyLimit: 1_024 })),
  setUp: async (app) => {
    const host = app as NestFastifyApplication;
    await host.register(helmet);
    await host.register(compress, { threshold: 0 });
  },
};

await runMessyHost(fastify);
