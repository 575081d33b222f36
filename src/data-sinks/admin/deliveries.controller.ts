import { Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Delivery } from '../core/delivery.js';
import { ProblemError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { AttemptRepository } from '../persistence/attempt.repository.js';
import { DeliveryRepository } from '../persistence/delivery.repository.js';
import { AdminController } from './admin-controller.js';
import { AgentGatekeeper } from './agent-gatekeeper.js';
import { ApiProblems } from './api-problems.js';
import { DeliveryAnswer, DeliveryWithAttemptsAnswer, toAttemptAnswer, toDeliveryAnswer } from './dto/delivery.answer.js';
import { PushAdmin } from './push-admin.js';
import { CurrentCaller, type RequestCaller, RequireScope } from './workspace-access.guard.js';

const ATTEMPTS_SHOWN = 100;

@AdminController('deliveries', 'deliveries')
export class DeliveriesController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly admin: PushAdmin,
    private readonly deliveries: DeliveryRepository,
    private readonly attempts: AttemptRepository,
  ) {}

  @Get(':deliveryId')
  @RequireScope('data-sinks:read')
  @ApiOperation({ operationId: 'readDelivery', summary: 'Read a delivery with its attempts' })
  @ApiOkResponse({ type: DeliveryWithAttemptsAnswer })
  @ApiProblems('not-found')
  async read(
    @CurrentCaller() caller: RequestCaller,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryWithAttemptsAnswer> {
    const delivery = await this.#find(caller, deliveryId);
    const { items } = await this.attempts.list(
      { workspaceId: caller.workspaceId, deliveryId },
      { limit: ATTEMPTS_SHOWN, afterId: null },
    );
    return { ...toDeliveryAnswer(delivery), attempts: items.map(toAttemptAnswer) };
  }

  @Post(':deliveryId/redeliver')
  @HttpCode(202)
  @RequireScope('data-sinks:push')
  @ApiOperation({ operationId: 'redeliver', summary: 'Try a settled delivery once more', description: 'The same bytes under the same delivery id.' })
  @ApiAcceptedResponse({ type: DeliveryAnswer })
  @ApiProblems('not-found', 'plan-required', 'agent-inactive', 'sink-inactive', 'delivery-unsettled')
  async redeliver(
    @CurrentCaller() caller: RequestCaller,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryAnswer> {
    const delivery = await this.#find(caller, deliveryId);
    await this.gatekeeper.requirePlan(caller);
    return toDeliveryAnswer(await this.admin.redeliver(caller, delivery));
  }

  async #find(caller: RequestCaller, deliveryId: string): Promise<Delivery> {
    const { workspaceId } = caller;
    const delivery = isId('delivery', deliveryId) ? await this.deliveries.find(workspaceId, deliveryId) : null;
    if (delivery) return delivery;
    throw new ProblemError('not-found', 'There is no such delivery in this workspace.');
  }
}
