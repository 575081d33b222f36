import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import type { DataSinksOptions } from '../data-sinks/index.js';
import { serveApiDocument } from './api-document.js';
import { EnvironmentError, type HostEnvironment } from './environment.js';
import { hasCode } from './error-code.js';
import { HostLogger } from './host-logger.js';
import { HostModule, type HostParts } from './host.module.js';
import { configureHttp } from './http/configure-http.js';
import { createDataSource } from './persistence/create-data-source.js';
import { openDatabase } from './persistence/migrate.js';
import { withVaultKeys } from './vault-keys.js';

export interface StartedHost {
  readonly app: NestExpressApplication;
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  readonly url: string;
}

/**
 * Starts the host: database, tables, application, listening.
 * @param options settings of the module that have no variable
 */
export async function startHost(given: HostEnvironment, options: DataSinksOptions = {}): Promise<StartedHost> {
  Logger.overrideLogger(new HostLogger(given.logLevel, process.stdout.isTTY === true));
  const logger = new Logger('Host');
  const environment = await withVaultKeys(given);
  const dataSource = createDataSource(environment);
  const ran = await openDatabase(dataSource);
  const database = environment.databaseUrl === null ? `PGlite in ${environment.dataDir}` : 'PostgreSQL';
  logger.log(`database: ${database}, ${ran.length === 0 ? 'up to date' : `${ran.length} migrations run`}`);

  const app = await createApplication({ environment, dataSource, options });
  try {
    await app.listen(environment.port);
  } catch (error) {
    await app.close();
    throw hasCode(error, 'EADDRINUSE')
      ? new EnvironmentError([`PORT ${environment.port} is taken; set another`])
      : error;
  }
  return { app, url: listeningUrl(app) };
}

async function createApplication(parts: HostParts): Promise<NestExpressApplication> {
  try {
    const app = await NestFactory.create<NestExpressApplication>(HostModule.with(parts), {
      bodyParser: false,
      abortOnError: false,
    });
    configureHttp(app);
    serveApiDocument(app);
    // Exit code 0 when everything is given back; Nest's default ends the process by the signal it was sent.
    return app.enableShutdownHooks([], { useProcessExit: true });
  } catch (error) {
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
    throw error;
  }
}

function listeningUrl(app: NestExpressApplication): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
