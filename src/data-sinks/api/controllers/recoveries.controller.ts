import { Body, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RecoveryRepository } from '../../recovery/recovery.repository.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems } from '../http/api-problems.js';
import { type ListAnswer, readCursor, toListAnswer } from '../http/cursor.js';
import { RecoveryListAnswer } from '../dto/list.answer.js';
import { ListQuery } from '../dto/list.query.js';
import {
  RecoveryAnswer,
  RecoveryPreviewAnswer,
  toRecoveryAnswer,
  toRecoveryPreviewAnswer,
} from '../dto/recovery.answer.js';
import { RecoverBody } from '../dto/recovery.body.js';
import { RecoveryAdmin } from '../../recovery/recovery-admin.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import { CurrentCaller, RequireScope } from '../http/workspace-access.guard.js';

@AdminController('agents/:agentId/data-sources/:sinkId', 'recoveries')
export class RecoveriesController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly admin: RecoveryAdmin,
    private readonly recoveries: RecoveryRepository,
  ) {}

  @Post('recover')
  @HttpCode(202)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'recover',
    summary: 'Try all deliveries once more that failed since a time',
    description:
      'Each like a redelivery: the same bytes under the same delivery id, one try. They are made due a few at a time, those first that failed first.',
  })
  @ApiAcceptedResponse({ type: RecoveryAnswer })
  @ApiProblems(
    'not-found',
    'plan-required',
    'validation-failed',
    'recovery-too-far-back',
    'recovery-too-large',
    'agent-inactive',
    'sink-inactive',
    'recovery-running',
    'malformed-json',
    'unsupported-media-type',
    'body-too-large',
  )
  async recover(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Body() span: RecoverBody,
  ): Promise<RecoveryAnswer> {
    const { agent, sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    await this.gatekeeper.requirePlan(caller);
    return toRecoveryAnswer(sink)(await this.admin.start(caller, agent, sink, span));
  }

  @Get('recoveries/preview')
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'previewRecovery',
    summary: 'How many deliveries a recovery would try once more',
    description: 'Changes nothing. Refuses what `recover` would refuse for its times or its size.',
  })
  @ApiOkResponse({ type: RecoveryPreviewAnswer })
  @ApiProblems('not-found', 'validation-failed', 'recovery-too-far-back', 'recovery-too-large')
  async preview(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Query() span: RecoverBody,
  ): Promise<RecoveryPreviewAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return toRecoveryPreviewAnswer(span.since, await this.admin.survey(sink, span, '?'));
  }

  @Get('recoveries')
  @RequireScope('data-sinks:read')
  @ApiOperation({ operationId: 'listRecoveries', summary: 'List the recoveries of a data sink, newest first' })
  @ApiOkResponse({ type: RecoveryListAnswer })
  @ApiProblems('not-found', 'validation-failed', 'invalid-cursor')
  async list(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Query() { limit, cursor }: ListQuery,
  ): Promise<ListAnswer<RecoveryAnswer>> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    const page = await this.recoveries.list(
      { workspaceId: caller.workspaceId, dataSourceId: sink.id },
      { limit, afterId: readCursor(cursor, 'recovery') },
    );
    return toListAnswer(page, toRecoveryAnswer(sink));
  }

  @Get('recoveries/:recoveryId')
  @RequireScope('data-sinks:read')
  @ApiOperation({ operationId: 'readRecovery', summary: 'Read how far a recovery is' })
  @ApiOkResponse({ type: RecoveryAnswer })
  @ApiProblems('not-found')
  async read(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Param('recoveryId') recoveryId: string,
  ): Promise<RecoveryAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return toRecoveryAnswer(sink)(await this.admin.find(sink, recoveryId));
  }

  @Post('recoveries/:recoveryId/cancel')
  @HttpCode(200)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'cancelRecovery',
    summary: 'Stop a recovery',
    description:
      'What was not made due yet stays FAILED; what was goes its way. One that is not running is answered as it is.',
  })
  @ApiOkResponse({ type: RecoveryAnswer })
  @ApiProblems('not-found')
  async cancel(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
    @Param('recoveryId') recoveryId: string,
  ): Promise<RecoveryAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return toRecoveryAnswer(sink)(await this.admin.cancel(caller, sink, recoveryId));
  }
}
