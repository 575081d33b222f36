import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import helmet from 'helmet';
import type { Framework } from './messy-host.js';

export const express: Framework = {
  create: (module) => NestFactory.create<NestExpressApplication>(module, { rawBody: true }),
  setUp: async (app) => {
    (app as NestExpressApplication).set('trust proxy', 1).set('query parser', 'extended').disable('x-powered-by');
    (app as NestExpressApplication).useBodyParser('json', { limit: '1kb' });
    app.use(helmet(), compression({ threshold: 0 }));
  },
};
