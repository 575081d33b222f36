import { Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { DeliveryRepository } from '../persistence/delivery.repository.js';
import { ServerClock } from '../pipeline/index.js';
import { AdminController } from './admin-controller.js';
import { AgentGatekeeper } from './agent-gatekeeper.js';
import { ApiProblems } from './api-problems.js';
import { SinkHealthAnswer, toSinkHealthAnswer } from './dto/sink-health.answer.js';
import { CurrentCaller, type RequestCaller, RequireScope } from './workspace-access.guard.js';

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
    return toSinkHealthAnswer(sink, await this.deliveries.healthOf(sink.id, this.clock.now()));
  }
}
