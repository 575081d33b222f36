import { Body, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  getSchemaPath,
} from '@nestjs/swagger';
import type { DataSink } from '../../domain/data-sink.js';
import { Answer } from '../../routes/answer.js';
import { DataSinkRepository } from '../../sinks/data-sink.repository.js';
import { Destinations } from '../../destinations/destinations.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems, BODY_PROBLEMS } from '../http/api-problems.js';
import { type ListAnswer, readCursor, toListAnswer } from '../http/cursor.js';
import { entityTag, ETAG, IF_MATCH, matching } from '../http/entity-tag.js';
import { DataSinkAdmin, type SavedSink } from '../../sinks/data-sink-admin.js';
import { DataSourceAnswer, SavedDataSourceAnswer, toDataSourceAnswer } from '../dto/data-source.answer.js';
import { CreateDataSourceBody, UpdateDataSourceBody } from '../dto/data-source.body.js';
import { DataSourceListAnswer } from '../dto/list.answer.js';
import { ListQuery } from '../dto/list.query.js';
import { RotateSecretBody } from '../dto/rotate-secret.body.js';
import { SinkTestAnswer } from '../dto/sink-test.answer.js';
import { SecretRotation } from '../../sinks/secret-rotation.js';
import { SinkTest, type SinkTestResult } from '../../sinks/sink-test.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import { CurrentCaller, RequireScope } from '../http/workspace-access.guard.js';

/** Of S3, where it is offered: the fields of S3SecretFields. */
const ROTATION_SCHEMA = {
  anyOf: [{ $ref: getSchemaPath(RotateSecretBody) }, { type: 'object', additionalProperties: true }],
  example: { value: '<32 random bytes, kept by you>', overlapSeconds: 86_400 },
};

@AdminController('agents/:agentId/data-sources', 'data sources')
@ApiExtraModels(RotateSecretBody)
export class DataSourcesController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly admin: DataSinkAdmin,
    private readonly destinations: Destinations,
    private readonly rotation: SecretRotation,
    private readonly sinks: DataSinkRepository,
    private readonly sinkTest: SinkTest,
  ) {}

  @Post()
  @RequireScope('data-sinks:write')
  @ApiOperation({
    operationId: 'createDataSource',
    summary: 'Create a data sink',
    description: 'It is active at once; nothing is pushed before the rule `auto_push_on_job_complete` is on.',
  })
  @ApiBody({ type: CreateDataSourceBody })
  @ApiCreatedResponse({ type: SavedDataSourceAnswer, headers: ETAG })
  @ApiProblems('not-found', 'plan-required', ...BODY_PROBLEMS, 'sink-limit-reached', 'location-taken')
  async create(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Body() given: object,
  ): Promise<Answer> {
    const body = this.destinations.newSink(given);
    await this.gatekeeper.agent(caller, agentId);
    await this.gatekeeper.requirePlan(caller);
    return this.#saved(201, await this.admin.create(caller, agentId, body));
  }

  @Get()
  @RequireScope('data-sinks:read')
  @ApiOperation({ operationId: 'listDataSources', summary: 'List an agent’s data sinks, newest first' })
  @ApiOkResponse({ type: DataSourceListAnswer })
  @ApiProblems('not-found', 'validation-failed', 'invalid-cursor')
  async list(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Query() { limit, cursor }: ListQuery,
  ): Promise<ListAnswer<DataSourceAnswer>> {
    await this.gatekeeper.agent(caller, agentId);
    const scope = { workspaceId: caller.workspaceId, agentId };
    const page = await this.sinks.list(scope, { limit, afterId: readCursor(cursor, 'dataSource') });
    return toListAnswer(page, (sink) => this.#answer(sink));
  }

  @Get(':sinkId')
  @RequireScope('data-sinks:read')
  @ApiOperation({ operationId: 'readDataSource', summary: 'Read a data sink' })
  @ApiOkResponse({ type: DataSourceAnswer, headers: ETAG })
  @ApiProblems('not-found')
  async read(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
  ): Promise<Answer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return tagged(200, sink, this.#answer(sink));
  }

  @Patch(':sinkId')
  @RequireScope('data-sinks:write')
  @ApiOperation({
    operationId: 'changeDataSource',
    summary: 'Change a data sink',
    description: 'Changing the endpoint’s host, the scheme or the username needs the secret again.',
  })
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: SavedDataSourceAnswer, headers: ETAG })
  @ApiProblems(
    'not-found',
    'plan-required',
    ...BODY_PROBLEMS,
    'secret-required',
    'destination-missing',
    'location-taken',
    'changed-meanwhile',
    'precondition-failed',
  )
  async change(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() body: UpdateDataSourceBody,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Answer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    const saved = await matching(ifMatch, sink, (asRead) => this.admin.change(caller, sink, body, asRead));
    return this.#saved(200, saved);
  }

  @Delete(':sinkId')
  @HttpCode(204)
  @RequireScope('data-sinks:write')
  @ApiOperation({
    operationId: 'deleteDataSource',
    summary: 'Delete a data sink',
    description: 'Its history stays. What still waits to be sent ends CANCELLED.',
  })
  @ApiNoContentResponse()
  @ApiHeader(IF_MATCH)
  @ApiProblems('not-found', 'precondition-failed')
  async delete(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await matching(ifMatch, sink, (asRead) => this.admin.delete(caller, sink, asRead));
  }

  @Post(':sinkId/secret')
  @HttpCode(200)
  @RequireScope('data-sinks:write')
  @ApiOperation({
    operationId: 'rotateDataSourceSecret',
    summary: 'Replace or rotate the secret of a data sink',
    description:
      'HmacSha256: for the overlap, pushes are signed with both secrets, the new one first; `X-MT-Signature-Previous` has ' +
      'the old one’s signature. Rotating again ends the older one at once: two are in force at most. Bearer and Basic: ' +
      'their header comes once, so the old secret ends at once and only the new one is sent. Not to be repeated blindly: ' +
      'when the answer was lost, read the data source first.',
  })
  @ApiBody({ schema: ROTATION_SCHEMA })
  @ApiOkResponse({ type: SavedDataSourceAnswer, headers: ETAG })
  @ApiHeader(IF_MATCH)
  @ApiProblems(
    'not-found',
    'plan-required',
    ...BODY_PROBLEMS,
    'destination-missing',
    'changed-meanwhile',
    'precondition-failed',
  )
  async rotateSecret(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() body: object,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Answer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return this.#saved(200, await matching(ifMatch, sink, () => this.rotation.rotate(caller, sink, body)));
  }

  @Post(':sinkId/test')
  @HttpCode(200)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'testDataSource',
    summary: 'Send a synthetic, signed payload now',
    description: 'Works on an inactive agent and with auto-push off. Makes no delivery.',
  })
  @ApiOkResponse({ type: SinkTestAnswer })
  @ApiProblems('not-found', 'plan-required', 'destination-missing')
  async test(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
  ): Promise<SinkTestResult> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return this.sinkTest.run(caller, sink);
  }

  #answer(sink: DataSink): DataSourceAnswer {
    return toDataSourceAnswer(sink, this.destinations.trustPolicyOf(sink));
  }

  #saved(status: number, { sink, warnings, generatedSecret }: SavedSink): Answer {
    const answer = this.#answer(sink);
    const value = generatedSecret === null ? {} : { value: generatedSecret };
    const saved: SavedDataSourceAnswer = { ...answer, secret: { ...answer.secret, ...value }, warnings };
    return tagged(status, sink, saved);
  }
}

function tagged(status: number, sink: DataSink, answer: DataSourceAnswer): Answer {
  // A gateway that compressed it would make the tag a weak one, which never matches: nginx and Cloudflare do.
  return Answer.json(status, answer, { ETag: entityTag(sink), 'Cache-Control': 'no-store, no-transform' });
}
