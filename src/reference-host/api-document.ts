import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { parseEnvironment } from './environment.js';
import { HostModule } from './host.module.js';
import { createDataSource } from './persistence/create-data-source.js';

/** The API's document: the host's operations and the module's, in one. The same code always gives the same document. */
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

/** The document of a host that is described, not started: nothing of it is instantiated and nothing is opened. */
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

/** Serves the document at `/api/openapi.json` and a page to try it at `/api/docs`. */
export function serveApiDocument(app: INestApplication): void {
  SwaggerModule.setup('api/docs', app, () => createApiDocument(app), { jsonDocumentUrl: 'api/openapi.json' });
}
