import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type JobCompleted, type JobStats, MAX_HOST_ID_LENGTH } from '../../data-sinks/index.js';
import { EXAMPLE_AGENT_ID, EXAMPLE_WORKSPACE_ID } from '../agents/agent.dto.js';

export const EXAMPLE_JOB_ID = 'job_01J8XK5D1QZ4M7T2B5N6C8D0EF';

/** Only for the OpenAPI document: `readResultRow` validates rows as they arrive. */
class ResultRowBody {
  @ApiProperty({ maxLength: 256, example: 'row_01J8XK6B3QZ4M7T2B5N6C8D0EF' })
  partnerRowId!: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'ref_01J8XK7C5QZ4M7T2B5N6C8D0EF' })
  referenceHotelId?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'STANDARD' })
  matchMethod?: string | null;

  @ApiPropertyOptional({ type: Number, nullable: true, minimum: 0, maximum: 1, example: null })
  matchConfidence?: number | null;
}

export class FinishedJobBody {
  @ApiPropertyOptional({
    description: 'Unique within the workspace. Made by the platform when left out',
    minLength: 1,
    maxLength: MAX_HOST_ID_LENGTH,
    example: EXAMPLE_JOB_ID,
  })
  jobId?: string;

  @ApiProperty({ type: [ResultRowBody] })
  results!: ResultRowBody[];
}

class JobStatsAnswer {
  @ApiProperty({ example: 12_000 })
  total!: number;

  @ApiProperty({ example: 11_540 })
  matched!: number;

  @ApiProperty({ example: 460 })
  unmatched!: number;
}

export class MappingJobAnswer {
  @ApiProperty({ example: EXAMPLE_JOB_ID })
  readonly jobId: string;

  @ApiProperty({ example: EXAMPLE_AGENT_ID })
  readonly agentId: string;

  @ApiProperty({ example: EXAMPLE_WORKSPACE_ID })
  readonly workspaceId: string;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:34:56.000Z' })
  readonly completedAt: Date;

  @ApiProperty({ type: JobStatsAnswer })
  readonly stats: JobStats;

  constructor({ jobId, agentId, workspaceId, completedAt, stats }: JobCompleted) {
    this.jobId = jobId;
    this.agentId = agentId;
    this.workspaceId = workspaceId;
    this.completedAt = completedAt;
    this.stats = stats;
  }
}
