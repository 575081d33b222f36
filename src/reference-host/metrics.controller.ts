import { Controller, Get, type OnApplicationShutdown, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Request, Response } from 'express';

/** The SDK of this host alone: two hosts in one process, as tests have them, do not mix their figures. */
export class HostMetrics implements OnApplicationShutdown {
  readonly exporter = new PrometheusExporter({ preventServerStart: true });
  readonly provider = new MeterProvider({ readers: [this.exporter] });

  async onApplicationShutdown(): Promise<void> {
    await this.provider.shutdown();
  }
}

/** For Prometheus, on the host's own port. It carries counts and times, and nothing of any customer's. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: HostMetrics) {}

  @Get()
  read(@Req() request: Request, @Res() response: Response): void {
    this.metrics.exporter.getMetricsRequestHandler(request, response);
  }
}
