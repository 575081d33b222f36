import { Injectable } from '@nestjs/common';
import type { DataSink } from '../domain/data-sink.js';
import { type Delivery, isSettled } from '../domain/delivery.js';
import { ProblemError } from '../domain/errors.js';
import { MAX_PARTS, partsOf } from '../domain/body/payload-recipe.js';
import { DeliveryRepository } from '../delivery/delivery.repository.js';
import { DeliveryRecorder } from '../intake/delivery-recorder.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import type { Agent } from '../ports/agent-directory.js';
import { MappingResults } from '../ports/mapping-results.js';
import { invalid } from '../domain/invalid-request.js';
import { requireActive } from '../sinks/require-active.js';
import type { RequestCaller } from '../ports/workspace-access.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import { AgentGatekeeper } from './agent-gatekeeper.js';

/** Manual pushes and redeliveries. The auto-push rule does not apply to them; everything else does. */
@Injectable()
export class PushAdmin {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly deliveries: DeliveryRepository,
    private readonly results: MappingResults,
    private readonly recorder: DeliveryRecorder,
    private readonly wakeup: Wakeup,
    private readonly audit: Audit,
  ) {}

  /** @throws ProblemError `validation-failed`, `agent-inactive`, `sink-inactive`, `delivery-exists` */
  async push(caller: RequestCaller, agent: Agent, sink: DataSink, jobId: string): Promise<Delivery> {
    const job = await this.results.findCompletedJob(caller.workspaceId, jobId);
    if (job?.agentId !== agent.id || job.workspaceId !== caller.workspaceId || job.jobId !== jobId) {
      throw invalid([{ pointer: '/jobId', detail: 'is not a finished job of this agent' }]);
    }
    requireActive(agent.active, sink);
    requireFewParts(sink, job.stats.total);
    const deliveryId = await this.recorder.recordManual(job, sink, agent);
    if (deliveryId === null) throw await this.#exists(caller, sink, job);
    await this.audit.record(byCaller('PUSH_REQUESTED', caller, sink, { jobId }, deliveryId));
    return this.#find(caller, deliveryId);
  }

  /** Redelivers a settled delivery. @throws ProblemError `agent-inactive`, `sink-inactive`, `delivery-unsettled` */
  async redeliver(caller: RequestCaller, delivery: Delivery): Promise<Delivery> {
    const { workspaceId, id, jobId } = delivery;
    await this.gatekeeper.requireActiveOf(delivery);
    if (!isSettled(delivery.status) || !(await this.deliveries.redeliver(workspaceId, id))) {
      throw new ProblemError('delivery-unsettled', 'This delivery is waiting or under way. Wait until it is settled.', {
        members: { deliveryId: id },
      });
    }
    this.wakeup.notify();
    const subject = { ...delivery, id: delivery.dataSourceId };
    const details = { jobId, previousStatus: delivery.status };
    await this.audit.record(byCaller('REDELIVERY_REQUESTED', caller, subject, details, id));
    return this.#find(caller, id);
  }

  async #exists(caller: RequestCaller, sink: DataSink, job: { jobId: string; run?: number }): Promise<ProblemError> {
    const existing = await this.deliveries.findByJob(caller.workspaceId, sink.id, job.jobId, job.run ?? 1);
    const deliveryId = existing?.id ?? '';
    return new ProblemError(
      'delivery-exists',
      'A job is pushed to a sink once. To send the same bytes again, redeliver its delivery.',
      { members: { deliveryId } },
    );
  }

  async #find(caller: RequestCaller, id: string): Promise<Delivery> {
    const delivery = await this.deliveries.find(caller.workspaceId, id);
    if (!delivery) throw new Error(`delivery ${id} was written and is not there`);
    return delivery;
  }
}

/** For a completed job this is a failed delivery; a manual push is refused at once. */
function requireFewParts({ config: { maxRowsPerPush } }: DataSink, totalRows: number): void {
  if (maxRowsPerPush === null || partsOf(totalRows, maxRowsPerPush) <= MAX_PARTS) return;
  const detail = `has ${totalRows} rows: with config.maxRowsPerPush of ${maxRowsPerPush} more than ${MAX_PARTS} parts`;
  throw invalid([{ pointer: '/jobId', detail }]);
}
