import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Controller, Get, Logger, type OnApplicationShutdown, type OnModuleInit, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Request, Response } from 'express';
import type { HostEnvironment } from './environment.js';
import { listeningUrl } from './http/listening-url.js';

/** A separate SDK per host, so that two hosts in one process (as in tests) do not mix their metrics. */
export class HostMetrics implements OnModuleInit, OnApplicationShutdown {
  readonly exporter = new PrometheusExporter({ preventServerStart: true });
  readonly provider = new MeterProvider({ readers: [this.exporter] });
  readonly #logger = new Logger('Host');
  #server: Server | null = null;

  constructor(private readonly environment: Pick<HostEnvironment, 'bind' | 'metricsPort'>) {}

  /** On a port of its own only who may see the port sees it, such as Prometheus inside of a cluster. */
  async onModuleInit(): Promise<void> {
    const { bind, metricsPort } = this.environment;
    if (metricsPort === null) return;
    this.#server = createServer((request, response) => {
      if (request.url === '/metrics') return this.exporter.getMetricsRequestHandler(request, response);
      response.writeHead(404).end();
    });
    this.#server.listen(metricsPort, bind ?? undefined);
    await once(this.#server, 'listening');
    this.#logger.log(`metrics on ${listeningUrl(this.#server)}/metrics`);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#server?.close();
    this.#server?.closeAllConnections();
    await this.provider.shutdown();
  }
}

/** For Prometheus, on the host's own port. Contains counts and durations, no customer data. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: HostMetrics) {}

  @Get()
  read(@Req() request: Request, @Res() response: Response): void {
    this.metrics.exporter.getMetricsRequestHandler(request, response);
  }
}
