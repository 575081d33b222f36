import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { AGENT_STATUSES, type AgentStatus, type HostAgent } from './agents.js';
import type { RuleSetVersion } from './rule-sets.js';

export const EXAMPLE_AGENT_ID = 'agt_01J8XK3V9QZ4M7T2B5N6C8D0EF';
export const EXAMPLE_WORKSPACE_ID = 'ws_01J8XK2A7RZ4M7T2B5N6C8D0EF';

export class CreateAgentBody {
  @ApiProperty({ example: 'Hotel matcher', minLength: 1, maxLength: 200 })
  // PostgreSQL's text cannot hold NUL.
  @Matches(/^[^\0]{1,200}$/u, { message: 'must be a string of 1 to 200 characters, without NUL' })
  name!: string;
}

export class ListAgentsQuery {
  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: 100, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 50;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before' })
  @IsOptional()
  @IsString()
  cursor?: string;
}

export class AgentAnswer {
  @ApiProperty({ example: EXAMPLE_AGENT_ID })
  readonly id: string;

  @ApiProperty({ example: EXAMPLE_WORKSPACE_ID })
  readonly workspaceId: string;

  @ApiProperty({ example: 'Hotel matcher' })
  readonly name: string;

  @ApiProperty({ enum: AGENT_STATUSES, example: 'DRAFT' })
  readonly status: AgentStatus;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:00:00.000Z' })
  readonly createdAt: Date;

  constructor({ id, workspaceId, name, status, createdAt }: HostAgent) {
    this.id = id;
    this.workspaceId = workspaceId;
    this.name = name;
    this.status = status;
    this.createdAt = createdAt;
  }
}

export class AgentPage {
  @ApiProperty({ type: [AgentAnswer] })
  readonly items: readonly AgentAnswer[];

  @ApiProperty({ type: String, nullable: true, example: null })
  readonly nextCursor: string | null;

  constructor(items: readonly AgentAnswer[], nextCursor: string | null) {
    this.items = items;
    this.nextCursor = nextCursor;
  }
}

export class RuleSetAnswer {
  @ApiProperty({ example: EXAMPLE_AGENT_ID })
  readonly agentId: string;

  @ApiProperty({ description: 'From 1; each write makes the next', example: 3 })
  readonly version: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } },
  })
  readonly rules: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:10:00.000Z' })
  readonly createdAt: Date;

  constructor({ agentId, version, rules, createdAt }: RuleSetVersion) {
    this.agentId = agentId;
    this.version = version;
    this.rules = rules;
    this.createdAt = createdAt;
  }
}
