import type { DataSink } from '../domain/data-sink.js';
import type { SinkOfAgent } from '../sinks/data-sink.repository.js';
import { invalidJobCompleted, type JobCompleted } from '../domain/job-completed.js';
import { acceptTraceContext, type TraceContext } from '../domain/trace-context.js';
import type { NoDeliveryReason } from './no-delivery.js';
import type { NewDelivery, NumberedCompletion } from './delivery-recorder.sql.js';

/** A completion to be recorded. */
export type Completion = NumberedCompletion & { readonly missed: boolean };

/** The sinks that want a completion. */
export interface WantedCompletion {
  readonly completion: Completion;
  readonly sinks: readonly SinkOfAgent[];
  readonly retriesAllowed: number;
  /** Why no sink wants it; otherwise null. */
  readonly whyNone: NoDeliveryReason | null;
}

/** Rows to be written for a completion, all or none. */
export interface Recording {
  readonly completion: Completion;
  /** Those that want it. */
  readonly sinks: readonly SinkOfAgent[];
  readonly deliveries: readonly NewDelivery[];
  readonly whyNone: NoDeliveryReason | null;
}

/**
 * @param activeTrace omitted if the caller is not the one that completed the job
 * @throws TypeError when the event is invalid
 */
export function toCompletion(
  event: JobCompleted,
  missed: boolean,
  activeTrace: TraceContext | null = null,
): Completion {
  const problem = invalidJobCompleted(event);
  if (problem !== null) throw new TypeError(`JobCompleted: ${problem}`);
  const traceContext = event.traceContext === undefined ? activeTrace : acceptTraceContext(event.traceContext);
  return { ...event, run: event.run ?? 1, missed, traceContext: traceContext ?? undefined };
}

export function isOfAgent(sink: DataSink, completion: Completion): boolean {
  return sink.agentId === completion.agentId && sink.workspaceId === completion.workspaceId;
}

/** A disabled sink wants it, too; the delivery waits. @param sink of the completion's agent */
export function wants(sink: DataSink, completion: Completion): boolean {
  return sink.status !== 'INACTIVE' && (!completion.missed || sink.createdAt <= completion.completedAt);
}
