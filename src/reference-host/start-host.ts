import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSinksOptions } from '../data-sinks/index.js';
import { serveApiDocument } from './api-document.js';
import { EnvironmentError, type HostEnvironment } from './environment.js';
import { hasCode } from './error-code.js';
import { HostLogger } from './host-logger.js';
import { HostModule, type HostParts } from './host.module.js';
import { configureHttp } from './http/configure-http.js';
import { listeningUrl } from './http/listening-url.js';
import { createDataSource } from './persistence/create-data-source.js';
import { openDatabase } from './persistence/migrate.js';
import { withVaultKeys } from './vault-keys.js';

export interface StartedHost {
  readonly app: NestExpressApplication;
  /** Its address, e.g. `http://127.0.0.1:3000`. */
  readonly url: string;
}

/**
 * Starts the host: database, tables, application, HTTP server.
 * @param options options of the module that have no environment variable
 * @param more parts of the host that a test replaces
 */
export async function startHost(
  given: HostEnvironment,
  options: DataSinksOptions = {},
  more: Pick<HostParts, 'destinations'> = {},
): Promise<StartedHost> {
  Logger.overrideLogger(new HostLogger(given.logLevel, process.stdout.isTTY === true));
  const logger = new Logger('Host');
  const environment = await withVaultKeys(given);
  const dataSource = createDataSource(environment);
  const ran = await openDatabase(dataSource);
  const database = environment.databaseUrl === null ? `PGlite in ${environment.dataDir}` : 'PostgreSQL';
  logger.log(`database: ${database}, ${ran.length === 0 ? 'up to date' : `${ran.length} migrations run`}`);

  const app = await createApplication({ environment, dataSource, options, ...more });
  try {
    const { port, bind } = environment;
    await (bind === null ? app.listen(port) : app.listen(port, bind));
  } catch (error) {
    await app.close();
    throw refusedListening(error, environment) ?? error;
  }
  return { app, url: listeningUrl(app.getHttpServer()) };
}

async function createApplication(parts: HostParts): Promise<NestExpressApplication> {
  try {
    const app = await NestFactory.create<NestExpressApplication>(HostModule.with(parts), {
      bodyParser: false,
      abortOnError: false,
    });
    configureHttp(app);
    serveApiDocument(app);
    // Exit code 0 after a clean shutdown; by default Nest ends the process with the signal.
    return app.enableShutdownHooks([], { useProcessExit: true });
  } catch (error) {
    if (parts.dataSource.isInitialized) await parts.dataSource.destroy();
    throw error;
  }
}

function refusedListening(error: unknown, { port, bind, metricsPort }: HostEnvironment): EnvironmentError | null {
  if (hasCode(error, 'EADDRNOTAVAIL')) {
    return new EnvironmentError([`BIND_ADDRESS ${bind} is no address of this machine; set one that is, or 0.0.0.0`]);
  }
  if (!hasCode(error, 'EADDRINUSE')) return null;
  const isMetrics = metricsPort !== null && (error as { readonly port?: unknown }).port === metricsPort;
  const [name, taken] = isMetrics ? ['METRICS_PORT', metricsPort] : ['PORT', port];
  return new EnvironmentError([`${name} ${taken} is taken; set another`]);
}
