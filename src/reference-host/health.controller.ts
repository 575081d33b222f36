import { Controller, Get, Logger } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSinksHealth, ProblemError } from '../data-sinks/index.js';
import { ApiProblem } from './http/problem.dto.js';

/** How the process is. `degraded` is no reason to restart it: everything is still delivered. */
interface HealthAnswer {
  readonly status: 'ok' | 'degraded';
  readonly database: string;
  readonly redis: string | null;
  readonly oldestDueAgeMs: number | null;
}

const EXAMPLE: HealthAnswer = { status: 'ok', database: 'up', redis: null, oldestDueAgeMs: 0 };
const TEXT = { type: 'string' };

@ApiTags('Health')
@Controller('healthz')
export class HealthController {
  private readonly logger = new Logger('Health');

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
        oldestDueAgeMs: {
          type: 'number',
          nullable: true,
          description: 'For how long the oldest delivery has been due.',
        },
      },
      example: EXAMPLE,
    },
  })
  @ApiProblem(503, 'temporarily-unavailable', 'The database does not answer')
  async health(): Promise<HealthAnswer> {
    const { status, database, redis, oldestDueAgeMs, migrationsPending } = await this.dataSinks.check();
    if (status !== 'down') return { status: status === 'up' ? 'ok' : status, database, redis, oldestDueAgeMs };
    if (migrationsPending === null) {
      this.logger.error('the database does not answer');
      throw new ProblemError('temporarily-unavailable', 'The database does not answer.');
    }
    this.logger.error(`migrations have not been run: ${migrationsPending.join(', ')}`);
    throw new ProblemError('temporarily-unavailable', 'The database has not been migrated.');
  }
}
