import { Body, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AttemptRepository } from '../../delivery/attempt.repository.js';
import { DeliveryRepository } from '../../delivery/delivery.repository.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems, BODY_PROBLEMS } from '../http/api-problems.js';
import { type ListAnswer, readCursor, toListAnswer } from '../http/cursor.js';
import { PushBody } from '../dto/data-source.body.js';
import { type AttemptAnswer, DeliveryAnswer, toAttemptAnswer, toDeliveryAnswer } from '../dto/delivery.answer.js';
import { AttemptListAnswer, DeliveryListAnswer, PAGES_MAY_BE_SHORT } from '../dto/list.answer.js';
import { DeliveriesQuery, SyncsQuery } from '../dto/list.query.js';
import { PushAdmin } from '../push-admin.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import { CurrentCaller, RequireScope } from '../http/workspace-access.guard.js';

@AdminController('agents/:agentId/data-sources/:sinkId', 'pushes')
export class PushesController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly admin: PushAdmin,
    private readonly deliveries: DeliveryRepository,
    private readonly attempts: AttemptRepository,
  ) {}

  @Post('pushes')
  @HttpCode(202)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'pushJob',
    summary: 'Push a finished job by hand',
    description:
      'Not bound by the rule `auto_push_on_job_complete`. Of a job that is pushed in parts, the answer is the first part.',
  })
  @ApiAcceptedResponse({ type: DeliveryAnswer })
  @ApiProblems('not-found', 'plan-required', ...BODY_PROBLEMS, 'agent-inactive', 'sink-inactive', 'delivery-exists')
  async push(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() { jobId }: PushBody,
  ): Promise<DeliveryAnswer> {
    const { agent, sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return toDeliveryAnswer(await this.admin.push(caller, agent, sink, jobId));
  }

  @Get('deliveries')
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'List what was and will be sent, newest or oldest first',
    description: PAGES_MAY_BE_SHORT,
  })
  @ApiOkResponse({ type: DeliveryListAnswer })
  @ApiProblems('not-found', 'validation-failed', 'invalid-cursor')
  async listDeliveries(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Query() { limit, cursor, status: statuses, ...filter }: DeliveriesQuery,
  ): Promise<ListAnswer<DeliveryAnswer>> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    const page = await this.deliveries.list(
      { ...filter, statuses, workspaceId: caller.workspaceId, dataSourceId: sink.id },
      { limit, afterId: readCursor(cursor, 'delivery') },
    );
    return toListAnswer(page, toDeliveryAnswer);
  }

  @Get('syncs')
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'listSyncs',
    summary: 'List the attempts, newest or oldest first',
    description: PAGES_MAY_BE_SHORT,
  })
  @ApiOkResponse({ type: AttemptListAnswer })
  @ApiProblems('not-found', 'validation-failed', 'invalid-cursor')
  async listAttempts(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Query() { limit, cursor, status: statuses, ...filter }: SyncsQuery,
  ): Promise<ListAnswer<AttemptAnswer>> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    const page = await this.attempts.list(
      { ...filter, statuses, workspaceId: caller.workspaceId, dataSourceId: sink.id },
      { limit, afterId: readCursor(cursor, 'attempt') },
    );
    return toListAnswer(page, toAttemptAnswer);
  }
}
