import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ProblemError } from '../../data-sinks/index.js';
import { ApiProblem } from '../http/problem.dto.js';
import { problemValidationPipe } from '../http/problem-validation.pipe.js';
import { Bearer, RequireScope } from '../http/token.guard.js';
import { isHostId } from '../ids.js';
import type { TokenBearer } from '../workspaces/api-tokens.js';
import { AgentAnswer, AgentPage, CreateAgentBody, EXAMPLE_AGENT_ID, ListAgentsQuery } from './agent.dto.js';
import { Agents, type AgentStatus } from './agents.js';

@ApiTags('Agents')
@Controller('api/v1/agents')
export class AgentsController {
  constructor(private readonly agents: Agents) {}

  @Post()
  @RequireScope('agents:write')
  @ApiOperation({ operationId: 'createAgent', summary: 'Create an agent, as a draft' })
  @ApiCreatedResponse({ type: AgentAnswer })
  @ApiProblem(400, 'malformed-json', 'The body is not valid JSON')
  @ApiProblem(413, 'body-too-large', 'More than 1 MB')
  @ApiProblem(415, 'unsupported-media-type', 'The body is not JSON')
  @ApiProblem(422, 'validation-failed', 'One field is not valid', [{ pointer: '/name', detail: 'must be a string' }])
  async create(
    @Bearer() bearer: TokenBearer,
    @Body(problemValidationPipe('body')) { name }: CreateAgentBody,
  ): Promise<AgentAnswer> {
    return new AgentAnswer(await this.agents.create(bearer.workspaceId, name));
  }

  @Get()
  @RequireScope('agents:read')
  @ApiOperation({ operationId: 'listAgents', summary: 'List the workspace’s agents, oldest first' })
  @ApiOkResponse({ type: AgentPage })
  @ApiProblem(400, 'invalid-cursor', 'The cursor is not one of ours')
  @ApiProblem(422, 'validation-failed', 'One field is not valid', [
    { pointer: '?limit', detail: 'must not be greater than 100' },
  ])
  async list(
    @Bearer() bearer: TokenBearer,
    @Query(problemValidationPipe('query')) { limit, cursor }: ListAgentsQuery,
  ): Promise<AgentPage> {
    const found = await this.agents.list(bearer.workspaceId, readCursor(cursor), limit + 1);
    const items = found.slice(0, limit).map((agent) => new AgentAnswer(agent));
    const last = items.at(-1);
    return new AgentPage(items, found.length > limit && last ? Buffer.from(last.id).toString('base64url') : null);
  }

  @Get(':agentId')
  @RequireScope('agents:read')
  @ApiOperation({ operationId: 'readAgent', summary: 'Read an agent' })
  @ApiParam({ name: 'agentId', example: EXAMPLE_AGENT_ID })
  @ApiOkResponse({ type: AgentAnswer })
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace')
  async read(@Bearer() bearer: TokenBearer, @Param('agentId') agentId: string): Promise<AgentAnswer> {
    return new AgentAnswer(agentOr404(await this.agents.find(bearer.workspaceId, agentId)));
  }

  @Post(':agentId/activate')
  @HttpCode(200)
  @RequireScope('agents:write')
  @ApiOperation({ operationId: 'activateAgent', summary: 'Activate an agent; its finished jobs may now be pushed' })
  @ApiParam({ name: 'agentId', example: EXAMPLE_AGENT_ID })
  @ApiOkResponse({ type: AgentAnswer })
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace')
  async activate(@Bearer() bearer: TokenBearer, @Param('agentId') agentId: string): Promise<AgentAnswer> {
    return this.setStatus(bearer, agentId, 'ACTIVE');
  }

  @Post(':agentId/pause')
  @HttpCode(200)
  @RequireScope('agents:write')
  @ApiOperation({ operationId: 'pauseAgent', summary: 'Pause an agent; deliveries that wait are cancelled' })
  @ApiParam({ name: 'agentId', example: EXAMPLE_AGENT_ID })
  @ApiOkResponse({ type: AgentAnswer })
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace')
  async pause(@Bearer() bearer: TokenBearer, @Param('agentId') agentId: string): Promise<AgentAnswer> {
    return this.setStatus(bearer, agentId, 'PAUSED');
  }

  private async setStatus(bearer: TokenBearer, agentId: string, status: AgentStatus): Promise<AgentAnswer> {
    return new AgentAnswer(agentOr404(await this.agents.setStatus(bearer.workspaceId, agentId, status)));
  }
}

/** Another workspace's agent and a missing one get the same response. */
export function agentOr404<T>(agent: T | null): T {
  if (agent === null) throw new ProblemError('not-found', 'There is no such agent in your workspace.');
  return agent;
}

function readCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '';
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!isHostId('agt', id))
    throw new ProblemError('invalid-cursor', 'Use the nextCursor of the previous page, unchanged.');
  return id;
}
