import { Controller, Get, Logger } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSinksHealth, type HealthReason, ProblemError } from '../data-sinks/index.js';
import { ApiProblem } from './http/problem.dto.js';

/** How the process is. `degraded` is no reason to restart it: what finishes is recorded, and delivered later. */
interface HealthAnswer {
  readonly status: 'ok' | 'degraded';
  readonly database: string;
  readonly redis: string | null;
  readonly workers: number | null;
  readonly oldestDueAgeMs: number | null;
  readonly reasons: readonly HealthReason[];
}

const EXAMPLE: HealthAnswer = {
  ...{ status: 'ok', database: 'up', redis: null, workers: 1, oldestDueAgeMs: 0, reasons: [] },
};
const TEXT = { type: 'string' };
const REASON = {
  type: 'object',
  properties: {
    kind: { ...TEXT, description: 'As the metric `data_sinks.own_failures` has it, `workers` or `migrations`.' },
    message: TEXT,
    since: { ...TEXT, format: 'date-time', nullable: true },
  },
};

@ApiTags('Health')
@Controller('healthz')
export class HealthController {
  private readonly logger = new Logger('Health');
  /** Probes come every few seconds: an outage is one line. */
  private told = '';

  constructor(private readonly dataSinks: DataSinksHealth) {}

  @Get()
  @ApiOperation({ operationId: 'health', summary: 'Whether this process is alive, reaches its database, and keeps up' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      properties: {
        status: { type: 'string', enum: ['ok', 'degraded'] },
        database: TEXT,
        redis: { type: 'string', nullable: true, description: 'Null where wake-ups need none.' },
        workers: { type: 'integer', nullable: true, description: 'Worker processes alive, of all on this database.' },
        oldestDueAgeMs: {
          type: 'number',
          nullable: true,
          description: 'For how long the oldest delivery has been due.',
        },
        reasons: { type: 'array', items: REASON, description: 'Why it is degraded.' },
      },
      example: EXAMPLE,
    },
  })
  @ApiProblem(503, 'temporarily-unavailable', 'Nothing can be recorded: the detail says why')
  async health(): Promise<HealthAnswer> {
    const { status, error, migrationsPending, ...found } = await this.dataSinks.check();
    const { database, redis, workers, oldestDueAgeMs, reasons } = found;
    if (status !== 'down') {
      this.told = '';
      return { status: status === 'up' ? 'ok' : status, database, redis, workers, oldestDueAgeMs, reasons };
    }
    const why = reasons.map(({ message }) => message).join('; ');
    if (why !== this.told)
      this.logger.error(`down: ${why} (${error ?? migrationsPending?.join(', ') ?? 'no more is known'})`);
    this.told = why;
    throw new ProblemError('temporarily-unavailable', `${why.charAt(0).toUpperCase()}${why.slice(1)}.`);
  }
}
