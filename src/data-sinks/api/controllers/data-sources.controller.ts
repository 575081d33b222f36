import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  getSchemaPath,
} from '@nestjs/swagger';
import type { DataSink } from '../../domain/data-sink.js';
import { DataSinkRepository } from '../../sinks/data-sink.repository.js';
import { Destinations } from '../../destinations/destinations.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems, BODY_PROBLEMS } from '../http/api-problems.js';
import { type ListAnswer, readCursor, toListAnswer } from '../http/cursor.js';
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
  @ApiCreatedResponse({ type: SavedDataSourceAnswer })
  @ApiProblems('not-found', 'plan-required', ...BODY_PROBLEMS, 'sink-limit-reached', 'location-taken')
  async create(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Body() given: object,
  ): Promise<SavedDataSourceAnswer> {
    const body = this.destinations.newSink(given);
    await this.gatekeeper.agent(caller, agentId);
    await this.gatekeeper.requirePlan(caller);
    return this.#saved(await this.admin.create(caller, agentId, body));
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
  @ApiOkResponse({ type: DataSourceAnswer })
  @ApiProblems('not-found')
  async read(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
  ): Promise<DataSourceAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return this.#answer(sink);
  }

  @Patch(':sinkId')
  @RequireScope('data-sinks:write')
  @ApiOperation({
    operationId: 'changeDataSource',
    summary: 'Change a data sink',
    description: 'Changing the endpoint’s host, the scheme or the username needs the secret again.',
  })
  @ApiOkResponse({ type: SavedDataSourceAnswer })
  @ApiProblems(
    'not-found',
    'plan-required',
    ...BODY_PROBLEMS,
    'secret-required',
    'destination-missing',
    'location-taken',
    'changed-meanwhile',
  )
  async change(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() body: UpdateDataSourceBody,
  ): Promise<SavedDataSourceAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return this.#saved(await this.admin.change(caller, sink, body));
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
  @ApiProblems('not-found')
  async delete(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
  ): Promise<void> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.admin.delete(caller, sink);
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
  @ApiOkResponse({ type: SavedDataSourceAnswer })
  @ApiProblems('not-found', 'plan-required', ...BODY_PROBLEMS, 'destination-missing', 'changed-meanwhile')
  async rotateSecret(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() body: object,
  ): Promise<SavedDataSourceAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return this.#saved(await this.rotation.rotate(caller, sink, body));
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

  #saved({ sink, warnings, generatedSecret }: SavedSink): SavedDataSourceAnswer {
    const answer = this.#answer(sink);
    const value = generatedSecret === null ? {} : { value: generatedSecret };
    return { ...answer, secret: { ...answer.secret, ...value }, warnings };
  }
}
