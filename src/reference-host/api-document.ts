import type { ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { parseEnvironment } from './environment.js';
import { HostModule } from './host.module.js';
import { createDataSource } from './persistence/create-data-source.js';

/** The OpenAPI document of the host and the module together. Deterministic for the same code. */
export function createApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Mapping platform')
    .setDescription(
      'Results of finished mapping jobs, pushed to customers’ endpoints. All errors are `application/problem+json`; ' +
        'all lists answer `items` and `nextCursor`.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A workspace’s token, `mt_…`' })
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** The document without starting a host: no provider is instantiated, no connection opened. */
export async function describeApi(): Promise<OpenAPIObject> {
  const dataDir = 'never-opened';
  const environment = { ...parseEnvironment({}), dataDir };
  const dataSource = createDataSource({ databaseUrl: null, dataDir });
  const app = await NestFactory.create(HostModule.with({ environment, dataSource }), {
    preview: true,
    abortOnError: false,
    logger: false,
  });
  return createApiDocument(app);
}

/** Serves the document at `/api/openapi.json` and a UI at `/api/docs`. */
export function serveApiDocument(app: INestApplication): void {
  // A page with a form for tokens must not be shown inside of another one.
  app.use('/api/docs', (_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('X-Frame-Options', 'DENY').setHeader('Content-Security-Policy', "frame-ancestors 'none'");
    next();
  });
  SwaggerModule.setup('api/docs', app, () => createApiDocument(app), { jsonDocumentUrl: 'api/openapi.json' });
}
