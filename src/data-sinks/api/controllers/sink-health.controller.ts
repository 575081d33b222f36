import { Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { DeliveryRepository } from '../../delivery/delivery.repository.js';
import { ServerClock } from '../../database/server-clock.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems } from '../http/api-problems.js';
import { SinkHealthAnswer, toSinkHealthAnswer } from '../dto/sink-health.answer.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import { CurrentCaller, RequireScope } from '../http/workspace-access.guard.js';

@AdminController('agents/:agentId/data-sources/:sinkId', 'data sources')
export class SinkHealthController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly deliveries: DeliveryRepository,
    private readonly clock: ServerClock,
  ) {}

  @Get('health')
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'readDataSourceHealth',
    summary: 'How a data sink has been doing',
    description:
      'Success and latency of the last hour and day, the last error with what to do about it, and what waits.',
  })
  @ApiOkResponse({ type: SinkHealthAnswer })
  @ApiProblems('not-found')
  async health(
    @CurrentCaller() caller: RequestCaller,
    @Param('agentId') agentId: string,
    @Param('sinkId') sinkId: string,
  ): Promise<SinkHealthAnswer> {
    const { sink } = await this.gatekeeper.sink(caller, agentId, sinkId);
    return toSinkHealthAnswer(sink, await this.deliveries.healthOf(sink, this.clock.now()));
  }
}
