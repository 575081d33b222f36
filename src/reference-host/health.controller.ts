import { Controller, Get, Logger } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { ProblemError } from '../data-sinks/index.js';
import { ApiProblem } from './http/problem.dto.js';
import { rows } from './persistence/sql.js';

@ApiTags('Health')
@Controller('healthz')
export class HealthController {
  private readonly logger = new Logger('Health');

  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @ApiOperation({ operationId: 'health', summary: 'Whether this process is alive and reaches its database' })
  @ApiOkResponse({ schema: { type: 'object', properties: { status: { type: 'string' } }, example: { status: 'ok' } } })
  @ApiProblem(503, 'temporarily-unavailable', 'The database does not answer')
  async health(): Promise<{ readonly status: 'ok' }> {
    try {
      await rows(this.dataSource, 'SELECT 1');
      return { status: 'ok' };
    } catch (error) {
      this.logger.error(`the database does not answer: ${String(error)}`);
      throw new ProblemError('temporarily-unavailable', 'The database does not answer.');
    }
  }
}
