import { Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Delivery } from '../../domain/delivery.js';
import { ProblemError } from '../../domain/errors.js';
import { isId } from '../../domain/ids.js';
import { AttemptRepository } from '../../delivery/attempt.repository.js';
import { DeliveryRepository } from '../../delivery/delivery.repository.js';
import type { Answer } from '../../routes/answer.js';
import { AdminController } from '../http/admin-controller.js';
import { AgentGatekeeper } from '../agent-gatekeeper.js';
import { ApiProblems } from '../http/api-problems.js';
import { type ListAnswer, readCursor, toListAnswer } from '../http/cursor.js';
import {
  DeliveryAnswer,
  DeliveryWithAttemptsAnswer,
  toAttemptAnswer,
  toDeliveryAnswer,
} from '../dto/delivery.answer.js';
import { DeliveryListAnswer, PAGES_MAY_BE_SHORT } from '../dto/list.answer.js';
import { WorkspaceDeliveriesQuery } from '../dto/list.query.js';
import { DataSinkRepository } from '../../sinks/data-sink.repository.js';
import { PayloadDownload } from '../payload-download.js';
import { PushAdmin } from '../push-admin.js';
import { WaitingAdmin } from '../waiting-admin.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import { CurrentCaller, RequireScope } from '../http/workspace-access.guard.js';

const ATTEMPTS_SHOWN = 100;

const PAYLOAD_EXAMPLE = {
  jobId: 'job_01J5Z0000000000000000000AB',
  agentId: 'agt_01J5Z0000000000000000000AB',
  workspaceId: 'ws_01J5Z0000000000000000000AB',
  completedAt: '2026-05-25T12:34:56Z',
  stats: { total: 1, matched: 0, unmatched: 1 },
  results: [
    {
      partnerRowId: 'row_01J5Z0000000000000000000AB',
      referenceHotelId: null,
      matchMethod: null,
      matchConfidence: null,
    },
  ],
};

const LINES_EXAMPLE = `${JSON.stringify(PAYLOAD_EXAMPLE.results[0])}\n`;
const CSV_EXAMPLE =
  'partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\nrow_01J5Z0000000000000000000AB,,,\r\n';

@AdminController('deliveries', 'deliveries')
export class DeliveriesController {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly admin: PushAdmin,
    private readonly waiting: WaitingAdmin,
    private readonly deliveries: DeliveryRepository,
    private readonly attempts: AttemptRepository,
    private readonly sinks: DataSinkRepository,
    private readonly download: PayloadDownload,
  ) {}

  @Get()
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'listWorkspaceDeliveries',
    summary: 'List what was and will be sent of all data sources, newest or oldest first',
    description: `Of deleted data sources too. ${PAGES_MAY_BE_SHORT}`,
  })
  @ApiOkResponse({ type: DeliveryListAnswer })
  @ApiProblems('validation-failed', 'invalid-cursor')
  async list(
    @CurrentCaller() caller: RequestCaller,
    @Query() { limit, cursor, status: statuses, sinkId, ...filter }: WorkspaceDeliveriesQuery,
  ): Promise<ListAnswer<DeliveryAnswer>> {
    const { workspaceId, agentIds } = caller;
    const afterId = readCursor(cursor, 'delivery');
    const sinks = await this.sinks.idsOfHistory(workspaceId, { agentIds: agentIds && [...agentIds], sinkId });
    const page = await this.deliveries.list(
      { ...filter, statuses, workspaceId, dataSourceId: sinks },
      { limit, afterId },
    );
    return toListAnswer(page, toDeliveryAnswer);
  }

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
    const attempts = await this.attempts.ofDelivery(caller.workspaceId, deliveryId, ATTEMPTS_SHOWN);
    return { ...toDeliveryAnswer(delivery), attempts: attempts.map(toAttemptAnswer) };
  }

  @Get(':deliveryId/payload')
  @RequireScope('data-sinks:read')
  @ApiOperation({
    operationId: 'readPayload',
    summary: 'Download the exact bytes of a delivery',
    description:
      'While they are kept. With the Content-Type, Content-Encoding and Content-Digest (RFC 9530) that they were sent with. A client that unpacks by itself what has a Content-Encoding, as browsers do, asks with `Accept: application/gzip` for the bytes of a compressed body as a file of that type.',
  })
  @ApiOkResponse({
    description: 'The body, as it is sent.',
    headers: {
      'Content-Digest': { description: 'sha-256=:…: of the body.', schema: { type: 'string' } },
      'Content-Encoding': { description: 'gzip, where it was sent so.', schema: { type: 'string' } },
    },
    content: {
      'application/json': { schema: { type: 'object' }, example: PAYLOAD_EXAMPLE },
      'application/x-ndjson': { schema: { type: 'string' }, example: LINES_EXAMPLE },
      'text/csv': { schema: { type: 'string' }, example: CSV_EXAMPLE },
      'application/gzip': { schema: { type: 'string', format: 'binary' }, example: '<the bytes of a gzip file>' },
    },
  })
  @ApiProblems('not-found', 'payload-gone')
  async readPayload(
    @CurrentCaller() caller: RequestCaller,
    @Param('deliveryId') deliveryId: string,
    @Headers('accept') accept: string | undefined,
  ): Promise<Answer> {
    return this.download.open(await this.#find(caller, deliveryId), accept);
  }

  @Post(':deliveryId/redeliver')
  @HttpCode(202)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'redeliver',
    summary: 'Try a settled delivery once more',
    description: 'The same bytes under the same delivery id.',
  })
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

  @Post(':deliveryId/retry-now')
  @HttpCode(202)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'retryNow',
    summary: 'Make a waiting delivery due now',
    description:
      'Ends the wait for the next attempt and nothing else: that attempt is the retry that it waited for, and the pace and the cap of the data source, its circuit breaker and every condition for sending hold as before. One that is due already stays as it is.',
  })
  @ApiAcceptedResponse({ type: DeliveryAnswer })
  @ApiProblems('not-found', 'plan-required', 'agent-inactive', 'sink-inactive', 'delivery-not-waiting')
  async retryNow(
    @CurrentCaller() caller: RequestCaller,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryAnswer> {
    const delivery = await this.#find(caller, deliveryId);
    await this.gatekeeper.requirePlan(caller);
    await this.waiting.retryNow(caller, delivery);
    return toDeliveryAnswer(await this.#find(caller, deliveryId));
  }

  @Post(':deliveryId/cancel')
  @HttpCode(200)
  @RequireScope('data-sinks:push')
  @ApiOperation({
    operationId: 'cancelDelivery',
    summary: 'Cancel a waiting delivery',
    description:
      'It ends CANCELLED, reason `requested`, and can be redelivered. What is being sent, or has ended, is not touched. A job pushed in parts is incomplete then: its last part ends FAILED.',
  })
  @ApiOkResponse({ type: DeliveryAnswer })
  @ApiProblems('not-found', 'delivery-not-waiting')
  async cancel(
    @CurrentCaller() caller: RequestCaller,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryAnswer> {
    await this.waiting.cancel(caller, await this.#find(caller, deliveryId));
    return toDeliveryAnswer(await this.#find(caller, deliveryId));
  }

  async #find(caller: RequestCaller, deliveryId: string): Promise<Delivery> {
    const { workspaceId } = caller;
    const delivery = isId('delivery', deliveryId) ? await this.deliveries.find(workspaceId, deliveryId) : null;
    if (delivery && this.gatekeeper.sees(caller, delivery.agentId)) return delivery;
    throw new ProblemError('not-found', 'There is no such delivery in this workspace.');
  }
}
