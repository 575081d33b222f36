import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DataSinksHealth } from 'nestjs-data-sinks';

@Injectable()
export class DataSinksIndicator {
  constructor(
    private readonly dataSinks: DataSinksHealth,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** Without Redis it is still up: see the `status` beside it. */
  async isHealthy(key = 'dataSinks'): Promise<HealthIndicatorResult> {
    const { status: overall, ...parts } = await this.dataSinks.check();
    const indicator = this.indicators.check(key);
    return overall === 'down' ? indicator.down({ overall, ...parts }) : indicator.up({ overall, ...parts });
  }
}
