import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { parseRules, ProblemError } from '../../data-sinks/index.js';
import { ApiProblem } from '../http/problem.dto.js';
import { Bearer, RequireScope } from '../http/token.guard.js';
import type { TokenBearer } from '../workspaces/api-tokens.js';
import { EXAMPLE_AGENT_ID, RuleSetAnswer } from './agent.dto.js';
import { agentOr404 } from './agents.controller.js';
import { Agents } from './agents.js';
import { RuleSets } from './rule-sets.js';

const EXAMPLES = {
  autoPush: {
    summary: 'Push every finished job, with two retries',
    value: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } },
  },
  off: { summary: 'Push nothing by itself (the default)', value: { data_sinks: { auto_push_on_job_complete: false } } },
};

@ApiTags('Agents')
@ApiParam({ name: 'agentId', example: EXAMPLE_AGENT_ID })
@Controller('api/v1/agents/:agentId/rule-sets')
export class RuleSetsController {
  constructor(
    private readonly agents: Agents,
    private readonly ruleSets: RuleSets,
  ) {}

  @Post()
  @RequireScope('agents:write')
  @ApiOperation({
    operationId: 'writeRuleSet',
    summary: 'Write the agent’s rules, as a new version',
    description:
      'The body is the whole rule set. Its section `data_sinks` is checked; other sections are kept as they are.',
  })
  @ApiBody({ schema: { type: 'object', additionalProperties: true }, examples: EXAMPLES })
  @ApiCreatedResponse({ type: RuleSetAnswer })
  @ApiProblem(400, 'malformed-json', 'The body is not valid JSON')
  @ApiProblem(413, 'body-too-large', 'More than 1 MB')
  @ApiProblem(415, 'unsupported-media-type', 'The body is not JSON')
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace')
  @ApiProblem(422, 'validation-failed', 'The rule set is not valid', [
    { pointer: '/data_sinks/retry_failed_push', detail: 'must be an integer from 0 to 10' },
  ])
  async write(
    @Bearer() bearer: TokenBearer,
    @Param('agentId') agentId: string,
    @Body() body: unknown,
  ): Promise<RuleSetAnswer> {
    const agent = agentOr404(await this.agents.find(bearer.workspaceId, agentId));
    return new RuleSetAnswer(await this.ruleSets.add(agent.id, checkRuleSet(body), bearer.tokenId));
  }

  @Get('current')
  @RequireScope('agents:read')
  @ApiOperation({ operationId: 'readCurrentRuleSet', summary: 'Read the rules in force' })
  @ApiOkResponse({ type: RuleSetAnswer })
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace, or it has no rules yet')
  async current(@Bearer() bearer: TokenBearer, @Param('agentId') agentId: string): Promise<RuleSetAnswer> {
    const agent = agentOr404(await this.agents.find(bearer.workspaceId, agentId));
    const current = await this.ruleSets.current(agent.id);
    if (!current) throw new ProblemError('not-found', 'The agent has no rules yet; the defaults apply.');
    return new RuleSetAnswer(current);
  }
}

function checkRuleSet(body: unknown): object {
  const result = parseRules(body);
  const violations = result.ok ? [] : [...result.violations];
  if (isDeeper(body, MAX_DEPTH))
    violations.push({ pointer: '', detail: `must not be nested deeper than ${MAX_DEPTH} levels` });
  if (typeof body !== 'object' || body === null) violations.push({ pointer: '', detail: 'must be an object' });
  else if (violations.length === 0) return body;
  throw new ProblemError('validation-failed', 'The rule set is not valid; the rules in force stay.', {
    errors: violations,
  });
}

/** PostgreSQL and JSON.stringify give up at some thousands; no rule set of a person's comes near. */
const MAX_DEPTH = 64;

/** Level by level: a function that calls itself would be what is to be prevented. */
function isDeeper(value: unknown, depth: number): boolean {
  let level: unknown[] = [value];
  for (let i = 0; level.length > 0; i++) {
    if (i > depth) return true;
    level = level.flatMap((one): unknown[] => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
