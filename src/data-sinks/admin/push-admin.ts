import { Injectable } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import { type Delivery, isSettled } from '../core/delivery.js';
import { ProblemError } from '../core/errors.js';
import { MAX_PARTS, partsOf } from '../core/payload-recipe.js';
import { DataSinkRepository } from '../persistence/data-sink.repository.js';
import { DeliveryRepository } from '../persistence/delivery.repository.js';
import { DeliveryRecorder, Wakeup } from '../pipeline/index.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { type Agent, AgentDirectory } from '../ports/agent-directory.js';
import { type AuditAction, AuditTrail } from '../ports/audit-trail.js';
import { MappingResults } from '../ports/mapping-results.js';
import { invalid } from './request-validation.pipe.js';
import { requireActive } from './require-active.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** Pushes and redeliveries by hand. They are not bound by the auto-push rule, but by everything else. */
@Injectable()
export class PushAdmin {
  constructor(
    private readonly agents: AgentDirectory,
    private readonly sinks: DataSinkRepository,
    private readonly deliveries: DeliveryRepository,
    private readonly results: MappingResults,
    private readonly recorder: DeliveryRecorder,
    private readonly wakeup: Wakeup,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws ProblemError `validation-failed`, `agent-inactive`, `sink-inactive`, `delivery-exists` */
  async push(caller: RequestCaller, agent: Agent, sink: DataSink, jobId: string): Promise<Delivery> {
    const job = await within(this.results.findCompletedJob(caller.workspaceId, jobId), PORT_WITHIN_MS, 'the results');
    if (job?.agentId !== agent.id || job.workspaceId !== caller.workspaceId) {
      throw invalid([{ pointer: '/jobId', detail: 'is not a finished job of this agent' }]);
    }
    requireActive(agent.active, sink);
    requireFewParts(sink, job.stats.total);
    const deliveryId = await this.recorder.recordManual(job, sink, agent);
    if (deliveryId === null) throw await this.#exists(caller, sink, job);
    await this.#record('PUSH_REQUESTED', caller, sink, deliveryId, { jobId });
    return this.#find(caller, deliveryId);
  }

  /** One more try of a settled delivery. @throws ProblemError `agent-inactive`, `sink-inactive`, `delivery-unsettled` */
  async redeliver(caller: RequestCaller, delivery: Delivery): Promise<Delivery> {
    const { workspaceId, agentId, dataSourceId, id, jobId } = delivery;
    const [agents, sink] = await Promise.all([
      within(this.agents.findAgents([agentId]), PORT_WITHIN_MS, 'the agent directory'),
      this.sinks.find({ workspaceId, agentId }, dataSourceId),
    ]);
    requireActive(agents[0]?.active === true, sink);
    if (!isSettled(delivery.status) || !(await this.deliveries.redeliver(workspaceId, id))) {
      throw new ProblemError('delivery-unsettled', 'This delivery is waiting or under way. Wait until it is settled.', {
        members: { deliveryId: id },
      });
    }
    this.wakeup.notify();
    await this.#record('REDELIVERY_REQUESTED', caller, delivery, id, { jobId, previousStatus: delivery.status });
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

  #record(
    action: AuditAction,
    caller: RequestCaller,
    subject: { readonly agentId: string; readonly dataSourceId?: string; readonly id: string },
    deliveryId: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { workspaceId, actor, ip } = caller;
    const { agentId, dataSourceId = subject.id } = subject;
    const entry = { action, workspaceId, agentId, dataSourceId, deliveryId, actor, ip, details };
    return within(this.audit.record([entry]), PORT_WITHIN_MS, 'the audit trail');
  }
}

/** A job that completes ends the same way, as a delivery; whoever asks by hand is told at once. */
function requireFewParts({ config: { maxRowsPerPush } }: DataSink, totalRows: number): void {
  if (maxRowsPerPush === null || partsOf(totalRows, maxRowsPerPush) <= MAX_PARTS) return;
  const detail = `has ${totalRows} rows: with config.maxRowsPerPush of ${maxRowsPerPush} more than ${MAX_PARTS} parts`;
  throw invalid([{ pointer: '/jobId', detail }]);
}
