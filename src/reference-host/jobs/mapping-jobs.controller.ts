import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ProblemError } from '../../data-sinks/index.js';
import { EXAMPLE_AGENT_ID } from '../agents/agent.dto.js';
import { agentOr404 } from '../agents/agents.controller.js';
import { Agents, type HostAgent } from '../agents/agents.js';
import { ApiProblem } from '../http/problem.dto.js';
import { bodyChunks, discardRest, readJsonBody } from '../http/request-body.js';
import { Bearer, RequireScope } from '../http/token.guard.js';
import type { TokenBearer } from '../workspaces/api-tokens.js';
import { type FinishedJob, invalid, jobIdViolations, readFinishedJob, readRowLines } from './incoming-rows.js';
import { EXAMPLE_JOB_ID, FinishedJobBody, MappingJobAnswer } from './job.dto.js';
import { JobStore } from './job-store.js';
import { MappingJobs } from './mapping-jobs.js';

/** Some 60,000 rows. It is parsed in one piece, during which nothing else is answered: more rows come as NDJSON. */
const MAX_JSON_BYTES = 8 * 1024 * 1024;

@ApiTags('Mapping jobs')
@ApiParam({ name: 'agentId', example: EXAMPLE_AGENT_ID })
@Controller('api/v1/agents/:agentId/mapping-jobs')
export class MappingJobsController {
  constructor(
    private readonly agents: Agents,
    private readonly jobs: MappingJobs,
    private readonly store: JobStore,
  ) {}

  @Post()
  @RequireScope('mapping-jobs:write')
  @ApiOperation({
    operationId: 'finishMappingJob',
    summary: 'Finish a mapping job with these results',
    description:
      'Stands in for the mapping engine. JSON up to 8 MB, or any number of rows as `application/x-ndjson`, one row a ' +
      'line. Sending the same job and rows again answers 200 and changes nothing; a job with errors leaves nothing.',
  })
  @ApiExtraModels(FinishedJobBody)
  @ApiConsumes('application/json', 'application/x-ndjson')
  @ApiQuery({ name: 'jobId', required: false, description: 'As in the body, for NDJSON', example: EXAMPLE_JOB_ID })
  @ApiBody({ schema: { $ref: getSchemaPath(FinishedJobBody) } })
  @ApiCreatedResponse({ type: MappingJobAnswer })
  @ApiOkResponse({ type: MappingJobAnswer, description: 'This job finished before, with the same rows' })
  @ApiProblem(400, 'malformed-json', 'The body, or a line of it, is not valid JSON')
  @ApiProblem(404, 'not-found', 'There is no such agent in your workspace')
  @ApiProblem(409, 'job-exists', 'The id is taken by a job that finished with other rows')
  @ApiProblem(413, 'body-too-large', 'More than 8 MB of JSON')
  @ApiProblem(415, 'unsupported-media-type', 'Neither JSON nor NDJSON')
  @ApiProblem(422, 'validation-failed', 'The finished job has errors; nothing of it was kept', [
    { pointer: '/results/17/partnerRowId', detail: 'must be a string of 1 to 256 characters, without NUL' },
  ])
  async finish(
    @Bearer() bearer: TokenBearer,
    @Param('agentId') agentId: string,
    @Query('jobId') jobId: unknown,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MappingJobAnswer> {
    const agent = agentOr404(await this.agents.find(bearer.workspaceId, agentId));
    try {
      const { job, created } = await this.take(agent, jobId, request);
      if (!created) response.status(200);
      return new MappingJobAnswer(job);
    } finally {
      await discardRest(request);
    }
  }

  @Get(':jobId')
  @RequireScope('agents:read')
  @ApiOperation({ operationId: 'readMappingJob', summary: 'Read a finished job' })
  @ApiParam({ name: 'jobId', example: EXAMPLE_JOB_ID })
  @ApiOkResponse({ type: MappingJobAnswer })
  @ApiProblem(404, 'not-found', 'There is no such finished job of this agent')
  async read(
    @Bearer() bearer: TokenBearer,
    @Param('agentId') agentId: string,
    @Param('jobId') jobId: string,
  ): Promise<MappingJobAnswer> {
    const job = await this.store.findCompletedJob(bearer.workspaceId, jobId);
    if (job?.agentId !== agentId) throw new ProblemError('not-found', 'There is no such finished job of this agent.');
    return new MappingJobAnswer(job);
  }

  private async take(agent: HostAgent, queryJobId: unknown, request: Request): ReturnType<MappingJobs['complete']> {
    const violations = queryJobId === undefined ? [] : jobIdViolations(queryJobId, '?jobId');
    if (violations.length > 0) throw invalid(violations);
    const { jobId, batches } = await readBody(request);
    const given = jobId ?? (typeof queryJobId === 'string' ? queryJobId : null);
    return this.jobs.complete(agent, given, batches);
  }
}

async function readBody(request: Request): Promise<FinishedJob> {
  const type = request.headers['content-type'] ?? '';
  const plain = (request.headers['content-encoding'] ?? 'identity') === 'identity';
  if (plain && /^application\/(x-ndjson|jsonl|x-jsonlines)\b/i.test(type)) {
    return { jobId: null, batches: readRowLines(bodyChunks(request)) };
  }
  if (plain && /^application\/([\w.-]+\+)?json\b/i.test(type)) {
    return readFinishedJob(await readJsonBody(request, MAX_JSON_BYTES));
  }
  throw new ProblemError(
    'unsupported-media-type',
    'Send application/json, or application/x-ndjson with one row a line, without a Content-Encoding.',
  );
}
